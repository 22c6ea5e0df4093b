import type { FileSource } from '../metadata/model.ts'

/** What the build needs of the fetch stage. */
export interface Fetcher {
  /** Resolves when the source is a blob of the store, its digest checked. */
  fetch(source: FileSource, signal?: AbortSignal): Promise<void>
}
