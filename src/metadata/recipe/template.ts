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
 * Expands `{{name}}` in a template. Every name must have a value; mustache's other forms are not
 * allowed, and nothing is escaped. Adds the names that occur to `used`. Calls `onFault` for each
 * fault; the result is then of no use.
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
    const fault = faultAt(template, other.index, other.index + other[0].length, {
      code: 'template-section',
      message: `Cannot expand "${other[0]}…": only {{name}} is part of the format`,
      hint: `There are no sections and no partials, and nothing is escaped. ${BRACES_HINT}`,
    })
    return { fault }
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
    // Mustache parses all the rest but a tag without an end.
    const start = template.lastIndexOf('{{')
    const fault = faultAt(template, start, start + 2, {
      code: 'template-syntax',
      message: 'Cannot expand a template: "{{" without "}}"',
      hint: BRACES_HINT,
    })
    return { fault }
  }
}

function tooLarge(template: string, { start, end }: NameToken): TemplateFault {
  return faultAt(template, start, end, {
    code: 'template-size',
    message: `Cannot expand a template: it would have more than ${MAX_EXPANDED} characters`,
    hint: 'Put the text into a file below files/',
  })
}

function unknownName(
  template: string,
  { name, start, end }: NameToken,
  values: TemplateValues,
): TemplateFault {
  return faultAt(template, start, end, {
    code: 'unknown-name',
    message: `Cannot expand "{{${name}}}": there is no such name here`,
    hint: suggestion(name, values.keys()) ?? `Known names: ${[...values.keys()].join(', ')}`,
  })
}

/** A fault in the characters from `start` up to `end`. */
function faultAt(
  template: string,
  start: number,
  end: number,
  fault: Pick<TemplateFault, 'code' | 'message' | 'hint'>,
): TemplateFault {
  const part = template.slice(start, end)
  const nth = template.slice(0, start).split(part).length - 1
  return { ...fault, part, nth }
}
