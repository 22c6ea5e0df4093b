import type { Finding } from './finding.ts'

const MARKS = { ok: 'ok     ', warning: 'warning', missing: 'missing' } as const
const TITLES = {
  build: 'to build images',
  boot: 'to boot images',
  develop: 'to work on the engine',
  check: 'to check that work',
} as const

/**
 * Findings for people to read: what is there, what is missing and what to do, and one line that
 * sums it up.
 */
export function findingsText(findings: readonly Finding[]): string[] {
  const sections = (['build', 'boot', 'develop', 'check'] as const).flatMap((purpose) => {
    const own = findings.filter((finding) => finding.purpose === purpose)
    return own.length === 0 ? [] : [`${TITLES[purpose]}:`, ...own.flatMap(findingLines)]
  })
  return [...sections, conclusion(findings)]
}

function findingLines({ status, code, message, remedy }: Finding): string[] {
  const line = `  ${MARKS[status]}  ${code}: ${message}`
  return remedy === undefined ? [line] : [line, `           -> ${remedy}`]
}

function conclusion(findings: readonly Finding[]): string {
  const lacking = (purpose: Finding['purpose']): boolean =>
    findings.some((finding) => finding.purpose === purpose && finding.status === 'missing')
  if (lacking('build')) return 'This host cannot build images yet'
  return lacking('boot')
    ? 'This host can build images but not boot all of them yet'
    : 'This host can build and boot images'
}
