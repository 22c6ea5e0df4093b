import { z } from 'zod'
import { askFor, type Asking } from '../ask.ts'
import { PlaceFailure } from '../failure.ts'

/** Bytes of a package's document in its short form; the largest have some ten MB. */
const LARGEST = 64 << 20

/** The part of a package's document that is read. */
const documentSchema = z.object({ 'dist-tags': z.object({ latest: z.string().min(1) }) })

/**
 * The version that a package's makers call the latest. `registry`: address of an npm registry.
 * Rejects with PlaceFailure.
 */
export async function latestOf(registry: string, name: string, asking: Asking): Promise<string> {
  const address = `${registry.replace(/\/+$/, '')}/${name.replace('/', '%2f')}`
  if (!URL.canParse(address)) throw new PlaceFailure('no valid address')
  const url = new URL(address)
  const headers = { ...asking.headers, Accept: 'application/vnd.npm.install-v1+json' }
  const limits = { ...asking.limits, bytes: LARGEST }
  const answer = await askFor(url, { ...asking, headers, limits })
  if (answer.status === undefined) throw new PlaceFailure(answer.reason)
  if (answer.status !== 200) throw new PlaceFailure(`HTTP status ${String(answer.status)}`)
  const document = documentSchema.safeParse(parsed(answer.bytes))
  if (!document.success) throw new PlaceFailure('sends no document of a package')
  return document.data['dist-tags'].latest
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString())
  } catch {
    return undefined
  }
}
