import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { FixpointError } from '../base/error.ts'
import type { FailureKind } from '../base/exit.ts'
import type { EventSink } from '../base/events.ts'
import { visible } from '../base/visible.ts'
import { hostFingerprint } from '../build/fingerprint.ts'
import type { Graph } from '../plan/graph.ts'
import type { Plan } from '../plan/plan.ts'
import { indexNamer, planOn, type IndexNamer } from '../store/plan-view.ts'
import { loadNoted } from '../metadata/noted.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import type { Metadata } from '../metadata/model.ts'
import type { Installed } from '../store/local/installed.ts'
import { isStore } from '../store/local/layout.ts'
import { Store } from '../store/store.ts'
import { readConfig, type Config } from './config.ts'
import { readProject, type Project } from './project.ts'
import { layersFile, OWN_LAYERS } from './defaults.ts'
import type { GlobalOptions } from './global-options.ts'
import { endInterrupted } from './view/end-at-once.ts'
import { outputFailure, watchOutput } from './view/output.ts'
import type { Result } from './view/result.ts'
import { watchSignals } from './signals.ts'
import { visibleJson } from './view/json.ts'
import type { View } from './view/port.ts'
import { isWatched, openView } from './view/view.ts'

/**
 * What commands work with; parts are opened when first asked for, so that `show` needs no store and
 * `log` no metadata.
 */
export class CommandContext {
  readonly options: GlobalOptions
  readonly indexName: IndexNamer = indexNamer(() => hostFingerprint(this.#hostNotes))
  readonly #interrupt: AbortController
  readonly #view: View
  #metadata: Promise<Metadata> | undefined
  #store: Promise<Store> | undefined
  #configuration: Promise<Config> | undefined
  #project: Promise<Project> | undefined
  #yieldInterrupt = (): void => undefined
  #isEndedByInterrupt = false
  /** File of the store in which the fingerprint of the host is noted. */
  #hostNotes: string | undefined

  readonly #installed: Installed | undefined

  private constructor(
    options: GlobalOptions,
    view: View,
    interrupt: AbortController,
    installed?: Installed,
  ) {
    this.options = options
    this.#view = view
    this.#interrupt = interrupt
    this.#installed = installed
  }

  /**
   * An engine with the view that suits the options and the terminal. One a process: it takes the
   * signals.
   */
  static async open(options: GlobalOptions): Promise<CommandContext> {
    const now = (): number => performance.now()
    const view = await openView({
      json: options.json === true,
      live: isWatched(process.env),
      now,
    })
    // Files of the store and of every action are made under one mask, whatever the caller's.
    process.umask(0o022)
    const interrupt = new AbortController()
    watchOutput((reason) => {
      interrupt.abort(reason)
    })
    const context = new CommandContext(options, view, interrupt)
    context.#yieldInterrupt = watchSignals({ stop: context.#stop, leave: endInterrupted, now })
    return context
  }

  /**
   * The same engine on another store, with `installed` instead of what is configured. Closed by
   * itself: the view stays.
   */
  beside(store: string, installed: Installed): CommandContext {
    return new CommandContext({ ...this.options, store }, this.#view, this.#interrupt, installed)
  }

  /** Stops what runs, and says so: removing a tree of work may take minutes. */
  readonly #stop = (): void => {
    if (this.signal.aborted) return
    this.#interrupt.abort()
    if (this.#isEndedByInterrupt) return
    void this.settle().then(() =>
      process.stderr.write('interrupted: stopping what runs; again to leave at once\n'),
    )
  }

  /** From now on Ctrl-C is how the command is meant to end, so nothing is said about it. */
  endByInterrupt(): void {
    this.#isEndedByInterrupt = true
  }

  /** From now on Ctrl-C is meant for a program that has the terminal. */
  yieldTerminal(): void {
    this.#yieldInterrupt()
  }

  /** Throws when a command's output did not arrive. */
  async checkOutput(): Promise<void> {
    const failure = await outputFailure()
    if (failure !== undefined) throw failure
  }

  /**
   * What made a command fail: after an interruption whatever failed is its doing, as are the host's
   * programs that it ended too.
   */
  async causeOf(error: unknown): Promise<unknown> {
    const failure = await outputFailure()
    if (failure !== undefined) return failure
    if (error instanceof FixpointError && !MAYBE_INTERRUPTED.includes(error.kind)) return error
    // The programs may be gone before this process hears of the signal.
    if (!this.signal.aborted) await interruption(this.signal, SIGNAL_DELAY)
    return this.signal.aborted ? this.signal.reason : error
  }

  readonly emit: EventSink = (event) => {
    this.#view.emit(event)
  }

  /** Takes a live display off the terminal before something else is written there. */
  settle(): Promise<void> {
    return this.#view.settle()
  }

  /**
   * Writes a result to standard output: `lines` for people, or with --json one line that says the
   * same to a program.
   */
  async result(lines: readonly string[], { type, ...data }: Result): Promise<void> {
    await this.settle()
    const shown =
      this.options.json === true
        ? [visibleJson({ type, at: this.now(), ...data })]
        : lines.map((line) => visible(line))
    process.stdout.write(shown.map((line) => `${line}\n`).join(''))
  }

  /** Milliseconds since the process began. */
  readonly now = (): number => performance.now()

  /** Aborts when the user interrupts. */
  get signal(): AbortSignal {
    return this.#interrupt.signal
  }

  configuration(): Promise<Config> {
    this.#configuration ??= readConfig(process.env)
    return this.#configuration
  }

  /** What the project of the layers in effect sets up; see {@link readProject}. */
  project(): Promise<Project> {
    return (this.#project ??= readProject(layersFile(this.options.layers)))
  }

  metadata(): Promise<Metadata> {
    return (this.#metadata ??= this.#loadMetadata())
  }

  async #loadMetadata(): Promise<Metadata> {
    // Commands that need no store say nothing of a faulty configuration.
    const store = await this.storeFolder().catch(() => undefined)
    // A folder that is no store yet belongs to the user.
    const notes = store !== undefined && isStore(store) ? join(store, 'metadata') : undefined
    return loadNoted(layersFile(this.options.layers), notes)
  }

  /**
   * The layers that came with the engine unless others are named, whatever lies in the working
   * folder. Read each time.
   */
  async ownMetadata(): Promise<Metadata> {
    const { loadMetadata } = await import('../metadata/load.ts')
    return loadMetadata(layersFile(this.options.layers ?? OWN_LAYERS))
  }

  store(): Promise<Store> {
    this.#store ??= this.configuration().then(async ({ installed }) => {
      const opened = await Store.open(await this.storeFolder(), {
        emit: this.emit,
        now: this.now,
        installed:
          this.#installed ?? (installed === undefined ? undefined : await readRoot(installed)),
      })
      this.#hostNotes = join(opened.root, 'host')
      return opened
    })
    return this.#store
  }

  /** Where the store is, or would be made. */
  async storeFolder(): Promise<string> {
    return resolve(this.options.store ?? (await this.configuration()).store)
  }

  /** Plans what is missing in the store so that `targets` are there. */
  async plan(graph: Graph, targets: readonly RecipeId[]): Promise<Plan> {
    return planOn({ store: await this.store(), indexName: this.indexName }, graph, targets)
  }

  /** Ends the session on the store, if one was opened. */
  async closeStore(): Promise<void> {
    if (this.#store !== undefined) await (await this.#store).session.close()
  }

  /** Ends what was opened. */
  async close(): Promise<void> {
    await this.#view.close()
    await this.closeStore()
  }
}

/** Only a machine that runs from an image has such a root. */
async function readRoot(folder: string): Promise<Installed> {
  const { readInstalled } = await import('../image/installed.ts')
  return readInstalled(folder)
}

/**
 * Kinds of failures that may be those of the host's programs: the terminal interrupts them as well.
 */
const MAYBE_INTERRUPTED: readonly FailureKind[] = ['hostUnfit', 'fetch']

/**
 * How much later than its children this process may get a signal that was sent to all,
 * milliseconds.
 */
const SIGNAL_DELAY = 50

/** Waits for an interruption, but not for long. */
async function interruption(signal: AbortSignal, milliseconds: number): Promise<void> {
  const late = new AbortController()
  const limit = setTimeout(() => {
    late.abort()
  }, milliseconds)
  await once(AbortSignal.any([signal, late.signal]), 'abort')
  clearTimeout(limit)
}
