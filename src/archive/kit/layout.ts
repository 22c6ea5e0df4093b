/**
 * Where things are in a kit. A kit is a bag as RFC 8493 (BagIt 1.0) describes it, with three
 * additions at its top: README.txt, verify.sh and the folders below that no list names.
 */
export const KIT = {
  readme: 'README.txt',
  verifier: 'verify.sh',
  declaration: 'bagit.txt',
  info: 'bag-info.txt',
  /** Lists of the payload. */
  manifest: 'manifest-sha256.txt',
  manifest512: 'manifest-sha512.txt',
  /** List of all other files of the bag. Its own SHA-256 is the kit's ID. */
  tagManifest: 'tagmanifest-sha256.txt',
  /** The payload. */
  data: 'data',
  images: 'data/images',
  sources: 'data/sources',
  actions: 'data/metadata/actions',
  checkout: 'data/metadata/checkout.tar',
  tools: 'data/tools',
  /** PAR2 files, which protect every listed file and the tag manifest, and their SHA256SUMS. */
  parity: 'parity',
  paritySums: 'parity/SHA256SUMS',
  parityName: 'kit',
  /** Logs that checking and copying append to. */
  checks: 'checks',
  /** What repairs replaced or found unlisted. */
  damaged: 'damaged',
} as const

/** Names of the tag files that the tag manifest lists, in its order. */
export const TAG_FILES: readonly string[] = [
  KIT.readme,
  KIT.info,
  KIT.declaration,
  KIT.manifest,
  KIT.manifest512,
  KIT.verifier,
]

/** Signatures of a kit's ID lie beside the tag manifest. */
export const SIGNATURE_PREFIX = `${KIT.tagManifest}.sig`
