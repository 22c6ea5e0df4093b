import { describe, expect, it } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import { scriptsOf } from '../../../src/build/steps.ts'
import { actionDocument, type ActionDocument } from '../../../src/plan/action-document.ts'
import { toyRecipe } from '../../support/toy.ts'

const PLAIN = actionDocument(toyRecipe('a/a', 'make'), 'x86_64', [], [])
const TOUCH = 'find . -exec touch -h -d @946684800 {} +\n'

function scripts(change: Partial<ActionDocument>): Record<string, string> {
  return Object.fromEntries(
    scriptsOf({ ...PLAIN, ...change }).map(({ name, script }) => [name, script]),
  )
}

describe('the scripts of an action', () => {
  it('are only the steps when there is nothing to unpack or patch', () => {
    expect(scriptsOf(PLAIN)).toEqual([{ name: 'build', script: 'make' }])
    expect(
      scripts({
        sources: [{ name: 'kept.tar', digest: digestOf(''), to: null }],
        steps: [{ name: 'empty', script: '' }],
      }),
    ).toEqual({})
  })

  it('unpack each source to its folder, in order, and set one time', () => {
    const sources = [
      { name: 'a.tar', digest: digestOf('a'), to: '.' },
      { name: "b's.tar", digest: digestOf('b'), to: 'deep/b' },
    ]
    const unpack = scripts({ sources })['unpack']
    expect(
      unpack?.endsWith(`\nunpack /sources/a.tar .\nunpack '/sources/b'\\''s.tar' deep/b\n${TOUCH}`),
    ).toBe(true)
  })

  it('patch in order after unpacking and before the steps', () => {
    const patches = ['2.patch', '10.patch'].map((name) => ({ name, digest: digestOf(name) }))
    const all = scriptsOf({
      ...PLAIN,
      patches,
      sources: [{ name: 'a', digest: digestOf(''), to: '.' }],
    })
    expect(all.map(({ name }) => name)).toEqual(['unpack', 'patch', 'build'])
    expect(all[1]?.script.endsWith(`\napply 2.patch\napply 10.patch\n${TOUCH}`)).toBe(true)
  })
})
