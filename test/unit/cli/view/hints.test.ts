import { describe, expect, test } from 'vitest'
import { FixpointError } from '../../../../src/base/error.ts'
import type { RecipeId } from '../../../../src/base/recipe-id.ts'
import { hintOf } from '../../../../src/cli/view/hints.ts'

const recipe = 'base/musl' as RecipeId

describe('a hint', () => {
  test('has commands with the layers and the store of this user, quoted for a shell', () => {
    const error = new FixpointError('disk-full', 'x')
    const options = { layers: "it's", store: '/my store' }
    expect(hintOf(error, options)).toContain(
      "`fixpoint --layers 'it'\\''s' --store '/my store' store gc`",
    )
    expect(hintOf(error, {})).toContain('`fixpoint store gc`')
  })

  test.each([
    [false, 'fixpoint build --keep-failed base/musl; fixpoint shell base/musl'],
    [true, 'fixpoint shell base/musl; to go on from there: fixpoint build --from make base/musl'],
  ])('about a failed step leads into its tree, kept: %s', (isTreeKept, commands) => {
    const facts = { recipe, step: 'make', log: '/log', isTreeKept }
    const hint = hintOf(new FixpointError('step-failed', 'x', { facts }), {})
    expect(hint).toContain('"/log"')
    expect(hint?.endsWith(`: ${commands}`)).toBe(true)
  })

  test('about a file of the metadata is that of the fault', () => {
    const hint = 'Did you mean "base/musl"?'
    expect(hintOf(new FixpointError('unknown-recipe', 'x', { hint }), {})).toBe(hint)
    expect(hintOf(new FixpointError('unknown-recipe', 'x'), {})).toBeUndefined()
  })

  test('says which firmware boots by UEFI', () => {
    expect(hintOf(new FixpointError('no-uefi-firmware', 'x'), {})).toContain('ovmf')
  })

  test('about another machine names what was to be built', () => {
    const facts = { recipe, targets: ['base/all' as RecipeId] }
    for (const code of ['cache-unread', 'remote-failed'] as const)
      expect(hintOf(new FixpointError(code, 'x', { facts }), {})).toContain(
        '`fixpoint build base/all`',
      )
  })

  test('about two results says that both are kept only where they are', () => {
    const hint = (facts: object): string | undefined =>
      hintOf(new FixpointError('two-results', 'x', { facts: { recipe, ...facts } }), {})
    expect(hint({ areBothKept: true })).toContain('Both are kept')
    expect(hint({})).toBe('Find the cause with `fixpoint verify base/musl`')
  })

  test('may be none', () => {
    expect(hintOf(new FixpointError('no-log', 'x'), {})).toBeUndefined()
  })
})
