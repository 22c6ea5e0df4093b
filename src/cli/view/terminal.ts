import {
  Listr,
  type ListrDefaultRendererLogLevels,
  ListrLogger,
  ProcessOutput,
  type ListrTaskWrapper,
} from 'listr2'
import type { Event } from '../../base/events.ts'
import type { RecipeId } from '../../base/recipe-id.ts'
import { visible } from '../../base/visible.ts'
import { formatBytes, formatDuration } from './format.ts'
import { describeEvent } from './plain.ts'
import type { View } from './port.ts'

/** What the rows of the display show. */
interface Slot {
  recipe: RecipeId | undefined
  step: string
  since: number
}

type Row = ListrTaskWrapper<unknown, never, never>

/** How often the clocks in the rows move on, milliseconds. */
const TICK = 500

/** Events worth a line of their own that stays on the screen. */
const LASTING: readonly Event['type'][] = [
  'action-failed',
  'store-repair',
  'seeds-start',
  'phase',
  'warning',
  'done',
]

/**
 * A live display on a terminal: one row for each core that runs an action, and one that sums up.
 * listr2 draws; nothing is scheduled by it. Never a row for each recipe: a list longer than the
 * terminal cannot be drawn over.
 */
export function terminalView(slotCount: number, now: () => number): View {
  const slots: Slot[] = Array.from({ length: Math.min(slotCount, rowsThatFit()) }, () => ({
    recipe: undefined,
    step: '',
    since: 0,
  }))
  const downloads = new Map<string, string>()
  let part = ''
  const lasting: string[] = []
  const counts = { ran: 0, stored: 0, toRun: 0, failed: 0 }
  let display: Display | undefined

  const draw = (): void => {
    if (display === undefined) return
    const rows = display.rows
    const summary = rows.at(-1)
    if (rows.length < display.count || summary === undefined) return
    slots.slice(0, rows.length - 1).forEach(({ recipe, step, since }, at) => {
      const row = rows[at]
      if (row !== undefined)
        row.title =
          recipe === undefined
            ? 'idle'
            : visible(`${recipe} ${step} ${formatDuration(now() - since)}`)
    })
    const built =
      `${String(counts.ran)} of at most ${String(counts.toRun)} ` +
      `built, ${String(counts.stored)} stored`
    const parts = [
      ...(counts.toRun > 0
        ? [`${built}${counts.failed > 0 ? `, ${String(counts.failed)} failed` : ''}`]
        : []),
      ...(downloads.size > 0
        ? [`fetching ${[...downloads].map((words) => words.join(' ')).join(', ')}`]
        : []),
      ...(part === '' ? [] : [part]),
    ]
    summary.title = visible(parts.join(' · '))
  }
  const timer = setInterval(draw, TICK)
  timer.unref()

  const take = (event: Event): void => {
    if (LASTING.includes(event.type)) lasting.push(describeEvent(event) ?? '')
    switch (event.type) {
      case 'plan':
        Object.assign(counts, { stored: event.stored, toRun: event.toRun })
        if (event.toRun > 0) display ??= startDisplay(slots.length + 1)
        return
      case 'fetch-start':
        downloads.set(event.source, amount(0, event.size))
        // Outside a build, what comes in is all there is to show.
        display ??= startDisplay(1)
        return
      case 'fetch-progress':
        downloads.set(event.source, amount(event.bytes, event.size))
        return
      case 'fetch-end':
        downloads.delete(event.source)
        return
      case 'action-start': {
        const free = slots.find(({ recipe }) => recipe === undefined)
        if (free !== undefined)
          Object.assign(free, { recipe: event.recipe, step: '', since: event.at })
        return
      }
      case 'step-start': {
        const slot = slots.find(({ recipe }) => recipe === event.recipe)
        if (slot !== undefined) slot.step = event.step
        return
      }
      case 'action-end':
      case 'action-failed': {
        counts[event.type === 'action-end' ? 'ran' : 'failed'] += 1
        const slot = slots.find(({ recipe }) => recipe === event.recipe)
        if (slot !== undefined) slot.recipe = undefined
        return
      }
      case 'action-stored':
      case 'action-shared':
      case 'action-skipped':
      case 'fetch-retry':
      case 'step-end':
      case 'store-repair':
      case 'seeds-start':
      case 'phase':
      case 'warning':
      case 'done':
        return
      case 'progress':
        part = `${event.what}: ${amount(event.bytes, event.size)}`
        display ??= startDisplay(1)
        return
      default:
        event satisfies never
    }
  }
  const writeLasting = (): void => {
    for (const line of lasting.splice(0)) process.stderr.write(`${line}\n`)
  }
  let isSettling = false
  const settle = async (): Promise<void> => {
    const ending = display
    display = undefined
    part = ''
    isSettling = true
    await ending?.end()
    isSettling = false
    writeLasting()
  }
  return {
    emit: (event) => {
      take(event)
      // Where nothing is drawn, nothing is in the way of lines.
      if (display === undefined && !isSettling) writeLasting()
      draw()
    },
    settle,
    close: async () => {
      clearInterval(timer)
      await settle()
    },
  }
}

/**
 * Rows for actions: with the one that sums up and the cursor's line, all must fit on the screen to
 * be drawn over.
 */
function rowsThatFit(): number {
  return Math.max(1, (process.stderr.rows || 24) - 3)
}

function amount(bytes: number, size: number | undefined): string {
  return size === undefined ? formatBytes(bytes) : `${formatBytes(bytes)} of ${formatBytes(size)}`
}

/** What is drawn at the moment. `rows` fills up to `count` as listr2 begins them. */
interface Display {
  readonly count: number
  readonly rows: readonly Row[]
  readonly end: () => Promise<void>
}

function startDisplay(count: number): Display {
  const rows: Row[] = []
  let finish = (): void => undefined
  const finished = new Promise<void>((resolve) => {
    finish = resolve
  })
  const tasks = Array.from({ length: count }, () => ({
    title: 'idle',
    task: (_context: unknown, row: unknown) => {
      rows.push(row as Row)
      return finished
    },
  }))
  const list = new Listr(tasks, {
    concurrent: true,
    registerSignalListeners: false,
    rendererOptions: {
      // Standard output is for data.
      logger: new ListrLogger<ListrDefaultRendererLogLevels>({
        processOutput: new ProcessOutput(process.stderr, process.stderr),
      }),
      removeEmptyLines: true,
      // What it came to is said in lines of their own.
      clearOutput: true,
    },
  })
  const ended = list.run()
  return {
    count,
    rows,
    end: async () => {
      finish()
      await ended
    },
  }
}
