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
  return operandsOf([simplified(parse(expression))], 'and').map(({ text }) => text)
}

/**
 * One expression for what is under all of these: parts that all hold, each once and sorted, choices
 * in parentheses. Empty for none.
 */
export function allLicenses(expressions: Iterable<string>): string {
  const parts = [...expressions].map((expression) => simplified(parse(expression)))
  return parts.length === 0 ? '' : join(parts, 'and').text
}

/** An expression in its one form. A single license has no operator. */
interface Simplified {
  readonly text: string
  readonly operator?: 'and' | 'or'
  readonly operands?: readonly Simplified[]
}

function simplified(node: parse.Info): Simplified {
  if ('conjunction' in node)
    return join([simplified(node.left), simplified(node.right)], node.conjunction)
  const id = idOf(node)
  return { text: node.exception === undefined ? id : `${id} WITH ${node.exception}` }
}

/** Joins expressions, at least one. Equal ones count once: what is left of two may be one. */
function join(nodes: readonly Simplified[], operator: 'and' | 'or'): Simplified {
  const operands = operandsOf(nodes, operator)
  const [only] = operands
  if (operands.length === 1 && only !== undefined) return only
  const texts = operands.map((one) => (one.operator === undefined ? one.text : `(${one.text})`))
  return { text: texts.join(` ${operator.toUpperCase()} `), operator, operands }
}

/** The operands of an operator, however they are grouped: each once, sorted. */
function operandsOf(nodes: readonly Simplified[], operator: 'and' | 'or'): Simplified[] {
  const operands = nodes.flatMap((node) =>
    node.operator === operator ? (node.operands ?? []) : [node],
  )
  const byText = new Map(operands.map((operand) => [operand.text, operand]))
  return [...byText.values()].sort((a, b) => byCodeUnit(a.text, b.text))
}

function idOf({ license, plus }: parse.LicenseInfo): string {
  return plus === true ? `${license}+` : license
}
