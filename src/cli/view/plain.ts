import type { Event, EventSink } from '../../base/events.ts'
import { counted } from '../../base/format.ts'
import { visibleMessage } from './report.ts'
import { describeOrigin, formatBytes, formatDuration, shortDigest } from './format.ts'

/**
 * A reader of events that writes a line for each that a log should keep; `write` gets the line
 * without its end.
 */
export function plainView(write: (line: string) => void): EventSink {
  return (event) => {
    const line = describeEvent(event)
    if (line !== undefined) write(line)
  }
}

/**
 * Text about an event, as it may be shown, or undefined for those that only matter to a live view.
 */
export function describeEvent(event: Event): string | undefined {
  const text = textOf(event)
  return text === undefined ? undefined : visibleMessage(text)
}

function textOf(event: Event): string | undefined {
  switch (event.type) {
    case 'plan':
      return event.toRun === 0
        ? undefined
        : `${String(event.toRun)} to build at most, ${String(event.stored)} stored`
    case 'fetch-start':
      return undefined
    case 'fetch-progress':
      return undefined
    case 'fetch-retry':
      return `fetch ${event.source}: again from ${event.place}: ${event.reason}`
    case 'fetch-end':
      return `fetch ${event.source}: ${formatBytes(event.bytes)} from ${event.place}`
    case 'action-start':
      return `build ${event.recipe}${elsewhere(event)}`
    case 'estimate':
      return undefined
    case 'step-start':
      return undefined
    case 'step-end':
      return undefined
    case 'action-end':
      return (
        `built ${event.recipe}${elsewhere(event)} in ${formatDuration(event.durationMs)}` +
        `${measured(event)}: ` +
        `${shortDigest(event.artifact)}, ${formatBytes(event.size)}`
      )
    case 'action-stored':
      return `${event.recipe} is stored already: ${shortDigest(event.artifact)}`
    case 'action-shared':
      return `${event.recipe} is shared: ${shortDigest(event.artifact)}, ${describeOrigin(event)}`
    case 'action-failed': {
      // The whole message comes at the end, once.
      // What failed before its steps, as by a source or a cache, has no log.
      const isStep = event.step !== '' && event.log !== ''
      const reason = isStep ? `in "${event.step}"` : firstLine(event.message)
      return `failed ${event.recipe}: ${reason}`
    }
    case 'action-skipped':
      return `not built ${event.recipe}, because of ${event.because}`
    case 'store-repair':
      return `store: damaged ${event.what} ${event.name}: ${event.reason}`
    case 'seeds-start':
      return (
        `look through ${counted(event.sources, 'source file')}, ${formatBytes(event.size)}, for ` +
        `what is not source code (once: the store notes what is found)`
      )
    case 'phase':
      return event.message
    case 'progress':
      return undefined
    case 'warning':
      return `warning: ${event.message}`
    case 'done':
      return (
        `${String(event.ran)} built, ${String(event.stored)} stored, ${String(event.failed)} ` +
        `failed, ${String(event.skipped)} not built in ${formatDuration(event.at)}`
      )
    default:
      return event satisfies never
  }
}

/** What an action used. Of one that ended at once, or elsewhere, nothing may be known. */
function measured({ cpuMs, peakMemory }: { readonly cpuMs: number; readonly peakMemory: number }) {
  const figures = [
    ...(cpuMs > 0 ? [`${formatDuration(cpuMs)} CPU`] : []),
    ...(peakMemory > 0 ? [formatBytes(peakMemory)] : []),
  ]
  return figures.length === 0 ? '' : ` (${figures.join(', ')})`
}

/** Where an action runs, unless that is this machine. */
function elsewhere({ place }: { readonly place: string }): string {
  return place === 'local' ? '' : ` on ${place}`
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? ''
}
