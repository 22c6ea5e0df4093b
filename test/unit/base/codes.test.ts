import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CODES, kindOf, type ErrorCode } from '../../../src/base/codes.ts'
import { EngineFailure } from '../../../src/base/error.ts'
import { byCodeUnit } from '../../../src/base/order.ts'
import { errorsPage } from '../../support/errors-page.ts'
import { checkoutFiles, CHECKOUT } from '../../support/tree.ts'

const TABLES = Object.entries(CODES).map(
  ([kind, codes]) => [kind, Object.entries<string>(codes)] as const,
)
const ALL = TABLES.flatMap(([, codes]) => codes.map(([code]) => code))

describe('codes of errors', () => {
  it('are of one kind each', () => {
    expect(ALL.toSorted(byCodeUnit)).toEqual([...new Set(ALL)].sort(byCodeUnit))
    for (const [kind, codes] of TABLES)
      for (const [code] of codes) expect(kindOf(code as ErrorCode)).toBe(kind)
  })

  it('are all used', async () => {
    const code = (await checkoutFiles())
      .filter(({ path }) => /^(src|qemu)\/.*\.ts$/.test(path))
      .filter(({ path }) => !/^src\/(base\/codes|cli\/view\/(fixed-)?hints\.ts$)/.test(path))
      .map(({ text }) => text)
      .join('\n')
    expect(ALL.filter((one) => !code.includes(`'${one}'`))).toEqual([])
  })

  it('say what they mean in sentences', () => {
    const sentences = TABLES.flatMap(([, codes]) => codes.map(([, what]) => what))
    expect(sentences.filter((what) => !/^[`A-Z].*\.$/.test(what))).toEqual([])
  })
})

it('an engine in another process decides the kind of its failure', () => {
  const kindFor = (status: number | null) =>
    new EngineFailure('rebuild-failed', 'x', { status }).kind
  expect(kindFor(5)).toBe('notReproducible')
  expect(kindFor(null)).toBe('buildFailed')
})

it('docs/errors.md is printed from the codes; `vitest --update` writes it', async () => {
  await expect(errorsPage()).toMatchFileSnapshot(join(CHECKOUT, 'docs/errors.md'))
})
