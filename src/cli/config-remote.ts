import { z } from 'zod'
import { NamedPath } from './config-paths.ts'

/** Most actions that a server is given at a time. */
const MOST_JOBS = 1_000

/** The part of the configuration about a server that runs actions. */
export const RemoteText = z
  .strictObject({
    address: z
      .string()
      .regex(/^grpcs?:\/\/[^\s/?#@]+\/?$/, 'must be a grpcs:// or grpc:// address of host and port')
      .refine(
        (text) => URL.canParse(overHttp(text)),
        'must have a host, and a port of at most 65535 if any',
      )
      .describe('Address of the server'),
    instance: z
      .string()
      .regex(/^[\w.-]+(\/[\w.-]+)*$/, 'must be a name of letters, digits, ".", "-" and "/"')
      .describe('Name of its instance; default: main')
      .optional(),
    jobs: z
      .number()
      .int('must be a whole number')
      .positive('must be at least 1')
      .max(MOST_JOBS, `must be at most ${MOST_JOBS}`)
      .describe('Actions that it is given at a time; default: 16')
      .optional(),
    platform: z
      .record(z.string().min(1), z.string())
      .describe('What a worker must be, in the words of the server')
      .optional(),
    ca: NamedPath.describe('Certificate of the authority that vouches for the server').optional(),
    certificate: NamedPath.describe('Certificate that vouches for this client').optional(),
    key: NamedPath.describe('Its key').optional(),
    token: NamedPath.describe('File with a bearer token').optional(),
    runner: NamedPath.describe(
      'Folder with static programs for workers; default: those that the store has',
    ).optional(),
    insecure: z
      .literal(true, 'must be true, or left out')
      .describe('Allows grpc://, which is not encrypted, to another machine')
      .optional(),
  })
  .superRefine((remote, context) => {
    const { address, ca, certificate, key, token, insecure } = remote
    const fault = (name: keyof typeof remote, message: string): void => {
      context.addIssue({ code: 'custom', path: [name], message })
    }
    const isPlain = address.startsWith('grpc:')
    if (isPlain && insecure !== true && !isLoopback(address))
      fault(
        'address',
        'must be grpcs://, or needs `insecure: true`: anyone could read and change it',
      )
    if (isPlain && token !== undefined && !isLoopback(address))
      fault('token', 'needs a grpcs:// address: anyone on the way could read it')
    for (const [name, file] of Object.entries({ ca, certificate, key }))
      if (isPlain && file !== undefined)
        fault(name as 'ca' | 'certificate' | 'key', 'needs a grpcs:// address')
    if (certificate !== undefined && key === undefined) fault('certificate', 'needs `key:`')
    if (key !== undefined && certificate === undefined) fault('key', 'needs `certificate:`')
  })

/** The same address as gRPC's transport takes it. */
export function overHttp(address: string): string {
  return address.replace(/^grpc/, 'http').replace(/\/$/, '')
}

function isLoopback(address: string): boolean {
  if (!URL.canParse(overHttp(address))) return true // it has a fault of its own
  const { hostname } = new URL(overHttp(address))
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
}
