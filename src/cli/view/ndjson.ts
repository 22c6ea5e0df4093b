import type { EventSink } from '../../base/events.ts'

/** A reader of events that writes each as one line of JSON. */
export function ndjsonView(write: (line: string) => void): EventSink {
  return (event) => {
    write(JSON.stringify(event))
  }
}
