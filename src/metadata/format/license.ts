import { createRequire } from 'node:module'
import parse from 'spdx-expression-parse'
import { byCodeUnit } from '../../base/order.ts'
import { suggestion } from '../yaml/suggest.ts'

/** What keeps a text from being used as a license expression. */
export interface LicenseFault {
  /** What is wrong, to follow the expression in a message. */
  readonly reason: string
  readonly hint: string | undefined
  /** The part that is wrong, and where it begins. */
  readonly part: string
  readonly start: number
}

/** One license of an expression, alone or with an exception. */
export interface LicenseTerm {
  /** As SPDX lists it; `+` at its end stands for later versions. */
  readonly license: string
  readonly exception: string | undefined
}

const load = createRequire(import.meta.url)

/** License identifiers of SPDX that are in use, and those that others have replaced. */
const LISTED: ReadonlySet<string> = new Set(load('spdx-license-ids') as readonly string[])
const DEPRECATED: ReadonlySet<string> = new Set(
  load('spdx-license-ids/deprecated.json') as readonly string[],
)
const EXCEPTIONS: ReadonlySet<string> = new Set(load('spdx-exceptions') as readonly string[])

const EXAMPLE =
  'For instance GPL-2.0-only, or (MIT OR Apache-2.0) AND GPL-3.0-or-later WITH GCC-exception-3.1'

/** Longest expression, in characters: the parser goes one call deeper for each license. */
const LONGEST = 4096

/**
 * What keeps an expression from being one of SPDX whose licenses are all on SPDX's list, or
 * undefined. https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/
 */
export function licenseFault(expression: string): LicenseFault | undefined {
  const whole = { part: expression, start: 0 }
  if (expression.length > LONGEST)
    return { ...whole, reason: `has more than ${LONGEST} characters`, hint: undefined }
  return identifierFault(expression) ?? syntaxFault(expression)
}

/** The parser takes replaced identifiers, and says only where an unknown one begins. */
function identifierFault(expression: string): LicenseFault | undefined {
  let before = ''
  for (const { 0: part, index: start } of expression.matchAll(/[^\s()]+/g)) {
    const found = before === 'WITH' ? exceptionFault(part) : licenseIdFault(part)
    if (found !== undefined) return { ...found, part, start }
    before = part
  }
  return undefined
}

type IdentifierFault = Pick<LicenseFault, 'reason' | 'hint'>

function licenseIdFault(token: string): IdentifierFault | undefined {
  const id = token.replace(/\+$/, '')
  const isOwn = /^(?:License|Document)Ref-/.test(id)
  if (isOwn || /^(?:AND|OR|WITH)$/.test(token) || LISTED.has(id)) return undefined
  if (!DEPRECATED.has(id)) {
    const hint = suggestion(id, LISTED) ?? EXAMPLE
    return { reason: `names "${token}", which is not on SPDX's list`, hint }
  }
  const hint = LISTED.has(`${id}-only`)
    ? `Write ${id}-only or ${id}-or-later`
    : 'Write what took its place; an exception is written with WITH'
  return { reason: `names "${token}", which SPDX has replaced`, hint }
}

function exceptionFault(token: string): IdentifierFault | undefined {
  if (EXCEPTIONS.has(token)) return undefined
  const reason = `names "${token}", which is not on SPDX's list of exceptions`
  return { reason, hint: suggestion(token, EXCEPTIONS) ?? EXAMPLE }
}

function syntaxFault(expression: string): LicenseFault | undefined {
  try {
    parse(expression)
    return undefined
  } catch {
    // Its messages are about tokens, and some are those of Node.
    return {
      reason: 'is no SPDX expression',
      hint: EXAMPLE,
      part: expression,
      start: 0,
    }
  }
}

/**
 * All licenses that an expression names, in its order. Throws for what {@link licenseFault} finds.
 */
export function licenseTerms(expression: string): LicenseTerm[] {
  const terms = (node: parse.Info): LicenseTerm[] =>
    'conjunction' in node
      ? [...terms(node.left), ...terms(node.right)]
      : [{ license: idOf(node), exception: node.exception }]
  return terms(parse(expression))
}

/**
 * The parts of an expression that all hold, each once and in one form, sorted: a choice between
 * licenses is one part. Throws for what {@link licenseFault} finds.
 */
export function licenseParts(expression: string): string[] {
  return unique(joined(parse(expression), 'and').map(written))
}

/**
 * One expression for what is under all of these: parts that all hold, each once and sorted, choices
 * in parentheses. Empty for none.
 */
export function allLicenses(expressions: Iterable<string>): string {
  const parts = unique([...expressions].flatMap(licenseParts))
  const [only] = parts
  if (parts.length === 1 && only !== undefined) return only
  return parts.map((part) => (/ OR /.test(part) ? `(${part})` : part)).join(' AND ')
}

/** The operands of an operator, however they are grouped. */
function joined(node: parse.Info, operator: 'and' | 'or'): parse.Info[] {
  if (!('conjunction' in node) || node.conjunction !== operator) return [node]
  return [...joined(node.left, operator), ...joined(node.right, operator)]
}

/** A part in its one form. */
function written(node: parse.Info): string {
  if (!('conjunction' in node))
    return node.exception === undefined ? idOf(node) : `${idOf(node)} WITH ${node.exception}`
  if (node.conjunction === 'and') return unique(joined(node, 'and').map(grouped)).join(' AND ')
  return unique(joined(node, 'or').map(grouped)).join(' OR ')
}

/** A part as an operand: with parentheses when it is not a single license. */
function grouped(node: parse.Info): string {
  const text = written(node)
  return / (?:AND|OR) /.test(text) ? `(${text})` : text
}

function idOf({ license, plus }: parse.LicenseInfo): string {
  return plus === true ? `${license}+` : license
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort(byCodeUnit)
}
