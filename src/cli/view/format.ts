import type { Origin } from '../../store/rooms.ts'

export { formatBytes, formatDuration, shortDigest } from '../../base/format.ts'

/** Who vouches for what another machine made, and where it was found. */
export function describeOrigin({ cache, signers }: Pick<Origin, 'cache' | 'signers'>): string {
  const by = signers.length > 0 ? `signed by ${signers.join(' and ')}, ` : 'not signed, '
  return `${by}from ${cache}`
}
