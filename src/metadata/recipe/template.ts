import Mustache from 'mustache'
import { suggestion } from '../yaml/suggest.ts'

/**
 * Something wrong in a template: `part`, its `nth` occurrence in the template (from 0), and why.
 */
export interface TemplateFault {
  readonly code: 'template-syntax' | 'template-section' | 'template-size' | 'unknown-name'
  readonly message: string
  readonly hint: string | undefined
  readonly part: string
  readonly nth: number
}

/** What names in a template stand for. */
export type TemplateValues = ReadonlyMap<string, string>

interface NameToken {
  readonly name: string
  readonly start: number
  readonly end: number
}

type Compiled =
  { readonly tokens: readonly (string | NameToken)[] } | { readonly fault: TemplateFault }

const BRACES_HINT = 'A script that needs two opening braces in a row writes them apart'

/** What a template may become, in characters: each of its names may stand for a whole list. */
const MAX_EXPANDED = 1 << 20

/** Unknown names of a template that are reported. */
const MAX_UNKNOWN = 20

/**
 * Templates of styles are compiled once, not once for each recipe; a template is a few hundred
 * bytes.
 */
const compiled = new Map<string, Compiled>()
const MAX_COMPILED = 4096

// Its own cache would grow without end; the types do not know that it can be taken out.
const writer: Mustache.Writer & { templateCache?: undefined } = new Mustache.Writer()
writer.templateCache = undefined

/**
 * Expands `{{name}}` in a template. Strict: every name must have a value (values are never empty by
 * mistake), and of mustache's other forms none is allowed. Nothing is escaped. Names that occur are
 * added to `used`. Faults are handed to `onFault`; the result is then unusable.
 */
export function expand(
  template: string,
  values: TemplateValues,
  onFault: (fault: TemplateFault) => void,
  used?: Set<string>,
): string {
  if (!template.includes('{{')) return template
  const found = compile(template)
  if ('fault' in found) {
    onFault(found.fault)
    return template
  }
  let [result, unknown] = ['', 0]
  for (const token of found.tokens) {
    if (typeof token === 'string') result += token
    else {
      const value = values.get(token.name)
      if (value === undefined && unknown++ < MAX_UNKNOWN)
        onFault(unknownName(template, token, values))
      used?.add(token.name)
      result += value ?? ''
      if (result.length > MAX_EXPANDED) {
        onFault(tooLarge(template, token))
        return template
      }
    }
  }
  return result
}

/** Elements as words of a shell command: quoted where needed, joined by blanks. */
export function shellWords(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ')
}

function compile(template: string): Compiled {
  let found = compiled.get(template)
  if (found === undefined) {
    if (compiled.size >= MAX_COMPILED) compiled.clear()
    found = parse(template)
    compiled.set(template, found)
  }
  return found
}

function parse(template: string): Compiled {
  const other = /\{\{\s*[#^/><{&=!$]/.exec(template)
  if (other !== null) {
    const message = `Cannot expand "${other[0]}…": only {{name}} is part of the format`
    return {
      fault: faultAt(
        template,
        other.index,
        other[0].length,
        'template-section',
        message,
        `Sections, partials and unescaped forms are not there, nothing is escaped. ${BRACES_HINT}`,
      ),
    }
  }
  try {
    const spans = writer.parse(template) as [
      type: string,
      value: string,
      start: number,
      end: number,
    ][]
    return {
      tokens: spans.map(([type, value, start, end]) =>
        type === 'name' ? { name: value, start, end } : value,
      ),
    }
  } catch {
    // What is left that mustache can't parse is a tag without an end.
    const start = template.lastIndexOf('{{')
    return {
      fault: faultAt(
        template,
        start,
        2,
        'template-syntax',
        'Cannot expand a template: "{{" without "}}"',
        BRACES_HINT,
      ),
    }
  }
}

function tooLarge(template: string, { start, end }: NameToken): TemplateFault {
  const message = `Cannot expand a template: it would have more than ${MAX_EXPANDED} characters`
  return faultAt(
    template,
    start,
    end - start,
    'template-size',
    message,
    'Put the text into a file below files/',
  )
}

function unknownName(
  template: string,
  { name, start, end }: NameToken,
  values: TemplateValues,
): TemplateFault {
  const hint = suggestion(name, values.keys()) ?? `Known names: ${[...values.keys()].join(', ')}`
  return faultAt(
    template,
    start,
    end - start,
    'unknown-name',
    `Cannot expand "{{${name}}}": there is no such name here`,
    hint,
  )
}

function faultAt(
  template: string,
  start: number,
  length: number,
  code: TemplateFault['code'],
  message: string,
  hint: string,
): TemplateFault {
  const part = template.slice(start, start + length)
  const nth = template.slice(0, start).split(part).length - 1
  return { code, message, hint, part, nth }
}
