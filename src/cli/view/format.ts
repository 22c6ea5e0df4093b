import type { CacheOrigin, RemoteOrigin } from '../../store/rooms.ts'

export { formatBytes, formatDuration, shortDigest } from '../../base/format.ts'

/** Who made what another machine made, or vouches for it, and where it was found. */
export function describeOrigin(
  origin: Pick<CacheOrigin, 'cache' | 'signers'> | RemoteOrigin,
): string {
  if ('remote' in origin) {
    const { remote, worker } = origin
    return worker === '' ? `run by ${remote}` : `run by ${worker} of ${remote}`
  }
  const { cache, signers } = origin
  const by = signers.length > 0 ? `signed by ${signers.join(' and ')}, ` : 'not signed, '
  return `${by}from ${cache}`
}
