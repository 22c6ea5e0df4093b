import { Listr, type ListrDefaultRendererLogLevels, ListrLogger, ProcessOutput, type ListrTaskWrapper } from 'listr2'
import type { Event, RecipeId } from '../../base/events.ts'
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
const LASTING: readonly Event['type'][] = ['action-failed', 'store-repair', 'warning', 'done']

/**
 * A live display on a terminal: one row for each core that runs an action, and one that sums up. listr2 draws; nothing is scheduled by it. Never a row for
 * each recipe: a list longer than the terminal cannot be drawn over.
 */
export function terminalView(slotCount: number, now: () => number): View {
  const slots: Slot[] = Array.from({ length: slotCount }, () => ({ recipe: undefined, step: '', since: 0 }))
  const downloads = new Map<string, number>()
  const lasting: string[] = []
  const counts = { ran: 0, stored: 0, toRun: 0, failed: 0 }
  let display: { rows: Row[]; end: () => Promise<void> } | undefined

  const draw = (): void => {
    if (display === undefined) return
    slots.forEach(({ recipe, step, since }, at) => {
      const row = display?.rows[at]
      if (row !== undefined)
        row.title = recipe === undefined ? 'idle' : `${recipe} ${step} ${formatDuration(now() - since)}`
    })
    const summary = display.rows[slotCount]
    if (summary === undefined) return
    const fetched = [...downloads].map(([source, bytes]) => `${source} ${formatBytes(bytes)}`)
    summary.title = `${String(counts.ran)} of at most ${String(counts.toRun)} built, ${String(counts.stored)} stored${counts.failed > 0 ? `, ${String(counts.failed)} failed` : ''}${fetched.length > 0 ? ` · fetching ${fetched.join(', ')}` : ''}`
  }
  const timer = setInterval(draw, TICK)
  timer.unref()

  const take = (event: Event): void => {
    if (LASTING.includes(event.type)) lasting.push(describeEvent(event) ?? '')
    switch (event.type) {
      case 'plan':
        Object.assign(counts, { stored: event.stored, toRun: event.toRun })
        if (event.toRun > 0) display ??= startDisplay(slotCount)
        return
      case 'fetch-start':
        downloads.set(event.source, 0)
        return
      case 'fetch-progress':
        downloads.set(event.source, event.bytes)
        return
      case 'fetch-end':
        downloads.delete(event.source)
        return
      case 'action-start': {
        const free = slots.find(({ recipe }) => recipe === undefined)
        if (free !== undefined) Object.assign(free, { recipe: event.recipe, step: '', since: event.at })
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
      case 'action-skipped':
      case 'fetch-retry':
      case 'step-end':
      case 'store-repair':
      case 'warning':
      case 'done':
        return
      default:
        event satisfies never
    }
  }
  return {
    emit: (event) => {
      take(event)
      draw()
    },
    close: async () => {
      clearInterval(timer)
      await display?.end()
      for (const line of lasting) process.stderr.write(`${line}\n`)
    },
  }
}

function startDisplay(slotCount: number): { rows: Row[]; end: () => Promise<void> } {
  const rows: Row[] = []
  let finish = (): void => undefined
  const finished = new Promise<void>((resolve) => {
    finish = resolve
  })
  const tasks = Array.from({ length: slotCount + 1 }, () => ({
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
    },
  })
  const ended = list.run()
  return {
    rows,
    end: async () => {
      finish()
      await ended
    },
  }
}
