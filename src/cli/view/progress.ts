import type { Event } from '../../base/events.ts'
import type { RecipeId } from '../../base/recipe-id.ts'
import { formatBytes, formatDuration } from './format.ts'

/** An action that runs. */
interface Running {
  readonly recipe: RecipeId
  readonly log: string
  readonly place: string
  /** When it began, as all times of events. */
  readonly since: number
  step: string
}

/** An action that runs, as it is shown. `ms`: milliseconds since it began. */
export interface RunningAction {
  readonly recipe: RecipeId
  readonly step: string
  readonly ms: number
  /** Where it runs: `local` or a server. */
  readonly place: string
  /** Path of its log. */
  readonly log: string
}

/** What a build has done so far, what it does now, and how long it will go on. */
export class Progress {
  readonly #running = new Map<RecipeId, Running>()
  readonly #downloads = new Map<string, string>()
  /** What a command copies or reads now, and how much of it. */
  #part = ''
  readonly #counts = { ran: 0, stored: 0, toRun: 0, failed: 0 }
  /** The first estimate, and the newest one. */
  #begun: number | undefined
  #estimate: { readonly at: number; readonly leftMs: number } | undefined

  /** Takes what happens. */
  take(event: Event): void {
    switch (event.type) {
      case 'plan':
        Object.assign(this.#counts, { stored: event.stored, toRun: event.toRun })
        return
      case 'estimate':
        this.#begun ??= event.at
        this.#estimate = event
        return
      case 'fetch-start':
        this.#downloads.set(event.source, amount(0, event.size))
        return
      case 'fetch-progress':
        this.#downloads.set(event.source, amount(event.bytes, event.size))
        return
      case 'fetch-end':
        this.#downloads.delete(event.source)
        return
      case 'action-start':
        this.#running.set(event.recipe, { ...event, step: '', since: event.at })
        return
      case 'step-start': {
        const action = this.#running.get(event.recipe)
        if (action !== undefined) action.step = event.step
        return
      }
      case 'action-end':
      case 'action-failed':
        this.#counts[event.type === 'action-end' ? 'ran' : 'failed'] += 1
        this.#running.delete(event.recipe)
        return
      case 'action-stored':
      case 'action-shared':
      case 'action-skipped':
      case 'fetch-retry':
      case 'step-end':
      case 'store-repair':
      case 'seeds-start':
      case 'phase':
      case 'warning':
        return
      case 'progress':
        this.#part = `${event.what}: ${amount(event.bytes, event.size)}`
        return
      case 'done':
        Object.assign(this.#counts, { ran: 0, stored: 0, toRun: 0, failed: 0 })
        this.#estimate = undefined
        return
      default:
        event satisfies never
    }
  }

  /** Whether there is anything to show. Outside a build, only what is read or comes in is. */
  get isShown(): boolean {
    return this.#counts.toRun > 0 || this.#downloads.size > 0 || this.#part !== ''
  }

  /** Whatever was copied or read is done with. */
  settle(): void {
    this.#part = ''
  }

  /** The actions that run, those that began first before others. */
  running(now: number): RunningAction[] {
    return [...this.#running.values()].map(({ since, ...action }) => ({
      ...action,
      ms: now - since,
    }))
  }

  /** Paths of the logs of the actions that run. */
  logs(): string[] {
    return [...this.#running.values()].map(({ log }) => log)
  }

  /** The line that sums up. */
  summary(now: number): string {
    const { ran, stored, toRun, failed } = this.#counts
    const fetching = [...this.#downloads].map((words) => words.join(' ')).join(', ')
    return [
      ...(toRun > 0 ? [`${String(ran)} of at most ${String(toRun)} built`] : []),
      ...(failed > 0 ? [`${String(failed)} failed`] : []),
      ...this.#expectation(now),
      ...(toRun > 0 ? [`${String(stored)} stored`] : []),
      ...(fetching === '' ? [] : [`fetching ${fetching}`]),
      ...(this.#part === '' ? [] : [this.#part]),
    ].join(' · ')
  }

  /** Percent, and time that is left. Nothing once a build takes longer than was expected. */
  #expectation(now: number): string[] {
    if (this.#estimate === undefined || this.#begun === undefined) return []
    const left = this.#estimate.leftMs - (now - this.#estimate.at)
    if (left <= 0) return []
    const past = now - this.#begun
    return [`${String(Math.floor((100 * past) / (past + left)))} %`, `${aboutMinutes(left)} left`]
  }
}

/** A time that changes each half second can't be read, and is not that exact. */
function aboutMinutes(ms: number): string {
  if (ms < 60_000) return 'less than a minute'
  const rounded = ms < 600_000 ? 60_000 : 300_000
  return `about ${formatDuration(Math.ceil(ms / rounded) * rounded).replace(/ 00 s$/, '')}`
}

function amount(bytes: number, size: number | undefined): string {
  return size === undefined ? formatBytes(bytes) : `${formatBytes(bytes)} of ${formatBytes(size)}`
}
