import { DIRECTIONS } from '../../base/visible.ts'

/** What JSON lets stand in a text though a terminal acts on it. */
const UNSEEN = new RegExp(`[\\u007f-\\u009f${DIRECTIONS}]`, 'gu')

/**
 * JSON of a value in which nothing is left that a terminal would act on. `indent` spreads it over
 * lines.
 */
export function visibleJson(value: unknown, indent?: number): string {
  // Outside of texts there is none of these.
  return JSON.stringify(value, undefined, indent).replace(
    UNSEEN,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
