import type { FileSource } from '../metadata/model.ts'
import type { Store } from '../store/store.ts'
import type { Fetcher } from './ports.ts'

/** Resolves to the path of a source's file, whose digest it has checked. */
export type SourceFinder = (source: FileSource) => Promise<string>

/** Finds sources in a store; fetches those that are missing there. */
export function sourceFinder(store: Store, fetcher: Fetcher, signal: AbortSignal): SourceFinder {
  return async (source) => {
    await fetcher.fetch(source, signal)
    return store.blobs.file(source.sha256)
  }
}
