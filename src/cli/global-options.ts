/** Options that every command takes. */
export interface GlobalOptions {
  readonly layers?: string
  readonly store?: string
  readonly json?: boolean
}
