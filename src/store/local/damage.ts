import type { Event } from '../../base/events.ts'

/** Called for each damaged part of a store, once it is out of the way. */
export type ReportDamage = (
  what: Extract<Event, { type: 'store-repair' }>['what'],
  name: string,
  reason: string,
) => void
