import type { EventSink } from '../../base/events.ts'
import { visibleJson } from './json.ts'

/** A reader of events that writes each as one line of JSON. */
export function ndjsonView(write: (line: string) => void): EventSink {
  return (event) => {
    write(visibleJson(event))
  }
}
