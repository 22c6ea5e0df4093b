import type { EventSink } from '../../base/events.ts'

/** A view of what happens. */
export interface View {
  readonly emit: EventSink
  /** Ends a live display; nothing may be emitted afterwards. */
  readonly close: () => Promise<void>
}
