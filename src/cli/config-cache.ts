import { z } from 'zod'
import { parseSigner } from '../remote/keys.ts'
import { NamedPath, Place } from './config-paths.ts'

/** The part of the configuration about caches of results. */
export const CacheText = z
  .strictObject({
    read: z.array(Place).describe('Addresses or folders, in the order they are asked').optional(),
    keys: z
      .array(
        z
          .string()
          .refine((text) => parseSigner(text) !== undefined, 'must be NAME:KEY, as keygen prints'),
      )
      .min(1, 'must name a signer')
      .describe('Signers that are trusted')
      .optional(),
    need: z
      .number()
      .int('must be a whole number')
      .positive('must be at least 1')
      .describe('How many of them must sign the same result')
      .optional(),
    trust: z
      .literal('transport', 'must be "transport", or left out')
      .describe('Instead of keys: whoever can write to the cache is trusted')
      .optional(),
    write: Place.describe('Address or folder that results are written to').optional(),
    key: NamedPath.describe('Key file that signs what is written').optional(),
    token: NamedPath.describe('File with a bearer token for the servers').optional(),
    certificate: NamedPath.describe(
      'PEM file with a certificate that vouches for this client, and its key',
    ).optional(),
  })
  .superRefine((cache, context) => {
    const { read, keys, need, trust, write, key, certificate } = cache
    const fault = (name: keyof typeof cache, message: string): void => {
      context.addIssue({ code: 'custom', path: [name], message })
    }
    if (read !== undefined && keys === undefined && trust === undefined)
      fault('read', 'needs `keys:` of signers, or `trust: transport` to trust all who write there')
    if (keys !== undefined && trust !== undefined)
      fault('trust', 'must be left out where `keys:` names signers')
    const signers = new Set(keys?.map((text) => parseSigner(text)?.id))
    if (keys !== undefined && signers.size < keys.length)
      fault('keys', 'must not have the same key twice')
    if (need !== undefined && need > signers.size)
      fault('need', `must be at most the number of keys, ${String(signers.size)}`)
    if (write !== undefined && key === undefined && trust === undefined)
      fault('write', 'needs `key:`, the file that signs what is written')
    if (key !== undefined && trust !== undefined)
      fault('key', 'must be left out with `trust: transport`: nothing is signed')
    if (key !== undefined && write === undefined) fault('key', 'needs `write:`')
    const places = [...(read ?? []), ...(write === undefined ? [] : [write])]
    if (certificate !== undefined && !places.some((place) => /^https:/i.test(place)))
      fault('certificate', 'needs an https:// address')
  })
