import {
  Listr,
  type ListrDefaultRendererLogLevels,
  ListrLogger,
  type ListrTask,
  ProcessOutput,
  type ListrTaskWrapper,
} from 'listr2'
import type { Event } from '../../base/events.ts'
import { visible } from '../../base/visible.ts'
import { formatDuration } from './format.ts'
import { LastLines } from './last-lines.ts'
import { describeEvent } from './plain.ts'
import type { View } from './port.ts'
import { Progress } from './progress.ts'

/** How often clocks and the last lines of logs move on, milliseconds. */
const TICK = 500

/** Events worth a line of their own that stays on the screen. */
const LASTING: readonly Event['type'][] = [
  'store-repair',
  'seeds-start',
  'phase',
  'warning',
  'done',
]

/**
 * A live display on a terminal: a line that sums up, and below it a line for each action that runs.
 * listr2 draws; nothing is scheduled by it. Never a line for each recipe: a list longer than the
 * terminal cannot be drawn over.
 */
export function terminalView(now: () => number): View {
  return new TerminalView(now)
}

class TerminalView implements View {
  readonly #now: () => number
  readonly #progress = new Progress()
  readonly #lastLines = new LastLines()
  readonly #lasting: string[] = []
  readonly #timer: NodeJS.Timeout
  #display: Display | undefined
  /** What was asked for last is done when this resolves. */
  #settled = Promise.resolve()

  constructor(now: () => number) {
    this.#now = now
    this.#timer = setInterval(() => {
      void this.#lastLines.read(this.#progress.logs()).then(this.#draw)
    }, TICK)
    this.#timer.unref()
  }

  readonly emit = (event: Event): void => {
    if (LASTING.includes(event.type)) this.#lasting.push(describeEvent(event) ?? '')
    this.#progress.take(event)
    if (event.type === 'action-failed') this.#tellAtOnce(event)
    if (this.#progress.isShown) this.#display ??= startDisplay(this.#settled)
    // Where nothing is drawn, nothing is in the way of lines.
    else if (this.#display === undefined && this.#lasting.length > 0) void this.settle()
    this.#draw()
  }

  readonly settle = (): Promise<void> => {
    const ending = this.#display
    this.#display = undefined
    this.#progress.settle()
    this.#settled = this.#settled.then(async () => {
      await ending?.end()
      for (const line of this.#lasting.splice(0)) process.stderr.write(`${line}\n`)
    })
    return this.#settled
  }

  readonly close = async (): Promise<void> => {
    clearInterval(this.#timer)
    await this.settle()
  }

  /** A failure stands above the display, by name, while other actions go on. */
  #tellAtOnce(event: Event): void {
    this.#lasting.push(describeEvent(event) ?? '')
    void this.settle()
  }

  readonly #draw = (): void => {
    const row = this.#display?.row()
    if (row === undefined) return
    const room = rowsThatFit()
    const running = this.#progress.running(this.#now()).slice(0, room)
    const lines = running.map(({ recipe, step, ms, place, log }) => {
      const last = this.#lastLines.of(log)
      const where = place === 'local' ? [] : [`on ${place}`]
      const words = [recipe, step, formatDuration(ms), ...where]
      return [...words, ...(last === undefined ? [] : [' ', last])].join(' ')
    })
    row.title = [this.#progress.summary(this.#now()), ...lines]
      .map((line) => visible(line))
      .join('\n')
  }
}

/**
 * Lines for actions: with the one that sums up and the cursor's line, all must fit on the screen to
 * be drawn over.
 */
function rowsThatFit(): number {
  return Math.max(1, (process.stderr.rows || 24) - 3)
}

type Row = ListrTaskWrapper<unknown, never, never>

/** What is drawn at the moment. It has a row as soon as listr2 begins it. */
interface Display {
  readonly row: () => Row | undefined
  readonly end: () => Promise<void>
}

/** Draws when nothing else does any more: when `free` resolves. */
function startDisplay(free: Promise<void>): Display {
  let begun: Row | undefined
  let finish = (): void => undefined
  const finished = new Promise<void>((resolve) => {
    finish = resolve
  })
  const task = {
    title: ' ',
    task: (_context: unknown, row: unknown) => {
      begun = row as Row
      return finished
    },
  }
  // Only when it is free: a display takes standard error as it finds it.
  const ended = free.then(() => listOf(task).run())
  return {
    row: () => begun,
    end: async () => {
      finish()
      await ended
    },
  }
}

/** A list of one task, drawn on standard error. */
function listOf(task: ListrTask): { run: () => Promise<unknown> } {
  return new Listr([task], {
    registerSignalListeners: false,
    rendererOptions: {
      // Standard output is for data.
      logger: new ListrLogger<ListrDefaultRendererLogLevels>({
        processOutput: new ProcessOutput(process.stderr, process.stderr),
      }),
      // A line that is folded would take two of those that fit.
      formatOutput: 'truncate',
      // What it came to is said in lines of their own.
      clearOutput: true,
    },
  })
}
