import type { EventSink } from '../base/events.ts'
import { explainDiskFull } from '../base/files.ts'
import { LocalBlobs } from './local/blobs.ts'
import { LocalIndex } from './local/index-entries.ts'
import type { Installed } from './local/installed.ts'
import { layOutStore } from './local/layout.ts'
import { LocalLogs } from './local/logs.ts'
import type { ReportDamage } from './local/damage.ts'
import { Session } from './local/session.ts'
import { LocalSources } from './local/source-names.ts'
import { LocalTrees } from './local/trees.ts'
import type { Blobs, Index, Logs, Sources, Trees } from './rooms.ts'

/** What a store needs from its owner. */
export interface StoreOptions {
  readonly emit: EventSink
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number
  /** What is installed on this machine, when it runs from an image. */
  readonly installed?: Installed | undefined
}

/**
 * The store below one folder, by rooms. The blobs are the truth: trees may be deleted. Every file
 * is written beside its place, flushed and renamed.
 */
export class Store {
  readonly root: string
  readonly session: Session
  readonly blobs: Blobs
  readonly trees: Trees
  readonly index: Index
  readonly logs: Logs
  readonly sources: Sources
  /** What is installed on this machine, when it runs from an image. */
  readonly installed: Installed | undefined

  private constructor(root: string, { emit, now, installed }: StoreOptions) {
    const report: ReportDamage = (what, name, reason) => {
      emit({ type: 'store-repair', at: now(), what, name, reason })
    }
    this.root = root
    this.installed = installed
    this.session = new Session(root)
    this.blobs = new LocalBlobs(root, this.session, report, installed)
    this.trees = new LocalTrees(root, this.session, report, this.blobs)
    this.index = new LocalIndex(root, this.session, report, installed)
    this.logs = new LocalLogs(root)
    this.sources = new LocalSources(root, this.session)
  }

  /**
   * Opens the store below `root`, and makes it when nothing is there. Fails with `store-layout` for
   * a folder that is something else.
   */
  static async open(root: string, options: StoreOptions): Promise<Store> {
    try {
      await layOutStore(root)
    } catch (error) {
      throw explainDiskFull(error, root)
    }
    return new Store(root, options)
  }
}
