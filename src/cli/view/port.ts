import type { EventSink } from '../../base/events.ts'

/** A view of what happens. */
export interface View {
  readonly emit: EventSink
  /**
   * Takes a live display off the terminal, so that others may write there; the next plan or
   * download begins another.
   */
  readonly settle: () => Promise<void>
  /** Ends the view; nothing may be emitted afterwards. */
  readonly close: () => Promise<void>
}
