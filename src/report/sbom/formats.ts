/** Formats that a bill of materials can be written in. */
export const FORMATS = ['cyclonedx', 'spdx'] as const

/** One of {@link FORMATS}. */
export type Format = (typeof FORMATS)[number]
