// Stands in for the package `vitest`, which loads machine code: the parts of it that are
// JavaScript, put together for the tests in memory.
import { readFileSync } from 'node:fs'
import { format } from '@vitest/pretty-format'
import {
  ASYMMETRIC_MATCHERS_OBJECT,
  chai,
  customMatchers,
  getState,
  GLOBAL_EXPECT,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from '@vitest/expect'

export {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  it,
  onTestFinished,
  test,
} from '@vitest/runner'

chai.use(JestExtend)
chai.use(JestChaiExpect)
chai.use(JestAsymmetricMatchers)
chai.use(({ Assertion }, utils) => {
  Assertion.addMethod('toMatchInlineSnapshot', function (this: object, wanted: string) {
    const shown = format(utils.flag(this, 'object'), {
      printBasicPrototype: false,
      escapeString: false,
    })
    if (unindent(wanted) !== shown)
      throw new Error(`Snapshot is ${unindent(wanted)}, now it is ${shown}`)
  })
  Assertion.addMethod('toMatchFileSnapshot', function (this: object, file: string) {
    if (readFileSync(file, 'utf8') !== utils.flag(this, 'object'))
      throw new Error(`"${file}" is not what is printed now`)
  })
})

/** Snapshots of several lines are indented as the code around them. */
function unindent(text: string): string {
  const lines = text.split('\n')
  if (lines.length === 1) return text
  const inner = lines.slice(1, -1)
  const depth = Math.min(
    ...inner.filter((line) => line !== '').map((line) => line.length - line.trimStart().length),
  )
  return inner.map((line) => line.slice(depth)).join('\n')
}

interface Extendable {
  extend: (expect: unknown, matchers: unknown) => void
}

const plain = (value: unknown, message?: string): unknown => chai.expect(value, message)
export const expect: typeof plain & Record<string, unknown> = Object.assign(
  plain,
  chai.expect,
  Reflect.get(globalThis, ASYMMETRIC_MATCHERS_OBJECT) as Record<string, unknown>,
)
Reflect.set(globalThis, GLOBAL_EXPECT, expect)
setState({ assertionCalls: 0, testPath: '' }, expect as never)
expect['getState'] = () => getState(expect as never)
;(chai.expect as unknown as Extendable).extend(expect, customMatchers)

/** Used by the rigs of slower tests only. */
export const vi = {}
