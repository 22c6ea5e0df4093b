import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseYaml } from '../../../src/metadata/yaml/parse.ts'
import { Faults } from '../../../src/metadata/yaml/faults.ts'
import { isInnerFolder } from '../../../src/metadata/format/source-places.ts'
import { recipeSchema } from '../../../src/metadata/format/schema.ts'
import { check } from '../../../src/metadata/format/check.ts'
import { APP, faultsIn, VALID, writeTree } from '../../support/metadata.ts'
import { CHECKOUT, checkoutFiles } from '../../support/tree.ts'

/** Recipes of the checkout. */
const TEXTS = (await checkoutFiles())
  .filter(({ path }) => /^(layers\/[^/]+|appliance)\/[^/]+\/recipe\.yaml$/.test(path))
  .map(({ path }) => readFileSync(join(CHECKOUT, path), 'utf8'))

/**
 * What a file may come to: parts of it are lost, swapped, repeated or replaced by what means
 * something.
 */
const piece = fc.constantFrom(
  ...[
    '',
    '\n',
    '\t',
    ' ',
    '{',
    '}',
    '[',
    ']',
    ': ',
    '- ',
    '"',
    "'",
    '|',
    '>',
    '&a ',
    '*a',
    '!!x ',
    '%YAML 1.1\n',
    '---\n',
  ],
  ...[
    '...\n',
    '\0',
    '\u001b',
    '\ud800',
    '\u0085',
    '{{',
    '}}',
    '{{name}}',
    '{{{x}}}',
    '#',
    '? ',
    '? [a]\n: ',
    '<<: ',
    '1e999',
  ],
  ...[
    'null',
    '~',
    '-0',
    '.nan',
    'extends: bootstrap/gcc\n',
    '__proto__: x\n',
    'x'.repeat(5000),
    '[\n'.repeat(2000),
  ],
)
const edits = fc.array(
  fc.record({ at: fc.nat(), length: fc.nat(60), to: piece, copy: fc.boolean() }),
  {
    minLength: 1,
    maxLength: 6,
  },
)
const mutated = fc.tuple(fc.constantFrom(...TEXTS), edits).map(([text, all]) =>
  all.reduce((before, { at, length, to, copy }) => {
    const start = at % (before.length + 1)
    const end = Math.min(before.length, start + length)
    return before.slice(0, start) + to + (copy ? before.slice(start, end) : '') + before.slice(end)
  }, text),
)

describe('a recipe of the checkout that was changed anyhow', () => {
  it('is one, or has faults at positions in it', () => {
    expect(TEXTS.length).toBeGreaterThan(30)
    let refused = 0
    fc.assert(
      fc.property(mutated, (text) => {
        const faults = new Faults()
        const yaml = parseYaml(text, faults, { file: 'recipe.yaml' })
        const read = yaml === undefined ? undefined : check(yaml, recipeSchema, 'a recipe', faults)
        if (read === undefined) refused++
        expect(read === undefined).toBe(faults.count > 0)
        const lines = text.split('\n')
        for (const { position } of faults.sorted()) {
          expect(position?.line).toBeGreaterThanOrEqual(1)
          expect(position?.line).toBeLessThanOrEqual(lines.length)
          expect(position?.column).toBeLessThanOrEqual(
            (lines[(position?.line ?? 1) - 1] ?? '').length + 1,
          )
          expect(position?.frame).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/)
        }
      }),
      { numRuns: 300 },
    )
    expect(refused).toBeGreaterThan(50)
  })

  it('is loaded with others, or refused as metadata are', async () => {
    await fc.assert(
      fc.asyncProperty(mutated, async (text) => {
        const folder = await writeTree({ ...VALID, [APP]: text })
        for (const { kind, code } of await faultsIn(folder))
          expect([kind, code]).toEqual(['metadata', code])
      }),
      { numRuns: 60 },
    )
  })
})

describe('names in layers', () => {
  const name = fc.oneof(
    fc.string({ maxLength: 20 }),
    fc.constantFrom('..', '.', 'a/b', '/', 'a\u0000', '\u009b', 'A', 'x'.repeat(300)),
  )

  it('of steps, recipes and folders are names of files, or refused', async () => {
    await fc.assert(
      fc.asyncProperty(name, async (one) => {
        const key = JSON.stringify(one)
        const text =
          `name: app\nversion: '1'\nsummary: x\nlicense: MIT\nsources:\n  - tree: [${key}]\n` +
          `    name: ${key}\n    to: ${key}\nstyle: auto\nsteps: {${key}: x}\n`
        const folder = await writeTree({ ...VALID, [APP]: text })
        const faults = await faultsIn(folder)
        expect(faults.length).toBeGreaterThan(0)
        const codes = faults.map(({ code }) => code)
        if (!isInnerFolder(one))
          expect(codes).toEqual(
            expect.arrayContaining([expect.stringMatching(/^bad-value$|-character$/)]),
          )
      }),
      { numRuns: 60 },
    )
  })
})
