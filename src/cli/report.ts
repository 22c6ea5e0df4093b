import { EXIT, FixpointError, FixpointErrors } from '../base/error.ts'
import { explainSystemError } from '../base/system-error.ts'

/** How the process ends for what made a command fail: its exit code, and what is printed. */
export function describeEnd(failure: unknown): { readonly code: number; readonly text: string } {
  const error = explainSystemError(failure)
  const code = exitCodeOf(error)
  return {
    code,
    text: code === EXIT.interrupted ? 'interrupted; the next run goes on from here' : describeError(error),
  }
}

/** Text about an error for people, without a stack unless it is a bug of ours; for several, one paragraph each. */
function describeError(error: unknown): string {
  if (error instanceof FixpointErrors) return error.errors.map(describeOne).join('\n')
  if (error instanceof FixpointError) return describeOne(error)
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return `error: this is a bug of Fixpoint: ${text}`
}

function describeOne(error: FixpointError): string {
  const { place } = error
  const where =
    place === undefined
      ? ''
      : `${[place.file, place.line, place.column].filter((part) => part !== undefined).join(':')}: `
  const lines = [`${where}error: ${error.message}`]
  if (place?.frame !== undefined) lines.push(place.frame)
  if (error.hint !== undefined) lines.push(`hint: ${error.hint}`)
  return lines.join('\n')
}

function exitCodeOf(error: unknown): number {
  if (error instanceof FixpointError) return EXIT[error.kind]
  if (error instanceof Error && error.name === 'AbortError') return EXIT.interrupted
  return EXIT.bug
}
