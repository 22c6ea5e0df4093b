import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { expand, type TemplateFault } from '../../../src/metadata/recipe/template.ts'

const VALUES = new Map([
  ['name', 'gcc'],
  ['machine.triple', 'x86_64-toy'],
  ['empty', ''],
])

function expanded(template: string, used?: Set<string>): string | TemplateFault[] {
  const faults: TemplateFault[] = []
  const text = expand(template, VALUES, (fault) => faults.push(fault), used)
  return faults.length === 0 ? text : faults
}

describe('expand', () => {
  it.each([
    ['{{name}}', 'gcc'],
    ['a {{ name }}{{machine.triple}} b', 'a gccx86_64-toy b'],
    ['{{empty}}', ''],
    ['\n  {{name}}\n\n', '\n  gcc\n\n'],
    ['${name} $(x) } }} { {', '${name} $(x) } }} { {'],
    ['<&"\'>{{name}}', '<&"\'>gcc'],
  ])('%j', (template, text) => {
    expect(expanded(template)).toBe(text)
  })

  it('does not expand values again', () => {
    expect(expand('{{a}}', new Map([['a', '{{b}}']]), () => undefined)).toBe('{{b}}')
  })

  it('tells which names were used', () => {
    const used = new Set<string>()
    expanded('{{name}} {{machine.triple}} {{name}}', used)
    expect([...used]).toEqual(['name', 'machine.triple'])
  })

  it('says which occurrence is wrong', () => {
    expect(expanded('{{nam}} {{name}} {{nam}}')).toMatchObject([
      { code: 'unknown-name', part: '{{nam}}', nth: 0, hint: 'Did you mean "name"?' },
      { code: 'unknown-name', part: '{{nam}}', nth: 1 },
    ])
  })

  it.each([
    '{{#name}}{{/name}}',
    '{{^name}}{{/name}}',
    '{{/name}}',
    '{{>name}}',
    '{{&name}}',
    '{{{name}}}',
    '{{!name}}',
    '{{=a b=}}',
    '{{ # name}}',
  ])('refuses %j', (template) => {
    expect(expanded(template)).toMatchObject([{ code: 'template-section' }])
  })

  it.each(['{{', 'x {{name', '{{name}'])('refuses %j', (template) => {
    expect(expanded(template)).toMatchObject([{ code: 'template-syntax' }])
  })

  it.each(['{{}}', '{{.}}', '{{constructor}}', '{{name.length}}'])(
    'knows nothing but its values: %j',
    (template) => {
      expect(expanded(template)).toMatchObject([{ code: 'unknown-name' }])
    },
  )

  it('leaves every text without two opening braces as it is', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }).filter((text) => !text.includes('{{')),
        (text) => expanded(text) === text,
      ),
    )
  })

  it('never throws', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('{{', '}}', '{', '}', 'name', ' ', '\n', '#', '/', '=', 'x'), {
          maxLength: 12,
        }),
        (parts) => {
          expanded(parts.join(''))
        },
      ),
    )
  })
})
