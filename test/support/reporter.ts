import {
  DefaultReporter,
  type SerializedError,
  type TestCase,
  type TestModule,
  type TestRunEndReason,
} from 'vitest/node'

/**
 * Vitest's own report, then what was left out, what passed only when tried again, and what failed,
 * by name. The very last line is `N passed, N failed` and perhaps `, N skipped`.
 */
export default class Reporter extends DefaultReporter {
  override onTestRunEnd(
    modules: readonly TestModule[],
    errors: readonly SerializedError[],
    reason: TestRunEndReason,
  ): void {
    super.onTestRunEnd(modules, errors, reason)
    const { lines, failed } = summary(modules, errors, reason)
    // Vitest may say more while it closes. A run that fails without a failed test, such as one that
    // found none, must not look like a success.
    process.on('exit', (status) => {
      if (status !== 0 && failed === 0) lines.splice(-1, 1, tally(0, 1, 0))
      process.stdout.write(`${lines.join('\n')}\n`)
    })
  }
}

function summary(
  modules: readonly TestModule[],
  unhandled: readonly SerializedError[],
  reason: TestRunEndReason,
): { lines: string[]; failed: number } {
  const tests = modules.flatMap((module) => [...module.children.allTests()])
  const count = (state: string): number =>
    tests.filter((test) => test.result().state === state).length
  // A file that can't be loaded holds no test that could fail, and neither does a hook.
  const broken = modules.filter(
    (module) => module.state() === 'failed' && [...module.children.allTests('failed')].length === 0,
  )
  const interrupted = reason === 'interrupted' ? 1 : 0
  const failed = count('failed') + broken.length + unhandled.length + interrupted
  const skipped = tests.filter((test) => ['skipped', 'pending'].includes(test.result().state))
  return {
    lines: [
      ...skipped.map(leftOut),
      ...tests.filter((test) => test.diagnostic()?.flaky === true).map(said('flaky')),
      ...tests.filter((test) => test.result().state === 'failed').map(said('failed')),
      ...broken.map((module) => `failed: ${place(module)}: no test of it could run`),
      ...unhandled.map(({ message }) => `failed: outside any test: ${firstLine(message)}`),
      tally(count('passed'), failed, skipped.length),
    ],
    failed,
  }
}

function leftOut(test: TestCase): string {
  const result = test.result()
  const note = result.state === 'skipped' && result.note !== undefined ? ` (${result.note})` : ''
  return `left out: ${name(test)}${note}`
}

/** One line, so that whoever sees only the end of a long log knows where to look. */
const said =
  (what: string) =>
  (test: TestCase): string =>
    `${what}: ${name(test)}: ${firstLine(test.result().errors?.[0]?.message)}`

function firstLine(text = ''): string {
  return text.split('\n')[0] ?? ''
}

function name(test: TestCase): string {
  return `${place(test.module)} > ${test.fullName}`
}

function place(module: TestModule): string {
  return `${module.project.name} ${module.relativeModuleId}`
}

function tally(passed: number, failed: number, skipped: number): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`
}
