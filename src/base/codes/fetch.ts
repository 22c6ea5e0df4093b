/** What went wrong with sources, and with stored or installed files that could be damaged. */
export const FETCH = {
  'artifact-format': 'A stored file is not a tar archive as Fixpoint writes it. It may be damaged.',
  'artifact-path': 'A path in a stored artifact is absolute, out of order or otherwise impossible.',
  'blob-damaged': 'The bytes of a stored file no longer fit its digest. The disk may be failing.',
  'blob-digest': 'A file that was to be stored has another digest than expected.',
  'blob-missing': 'A stored file disappeared. Something other than Fixpoint may have removed it.',
  'cache-unread':
    'A cache could not be asked, or does not have what a target needs. The message says why.',
  'cache-unwritten': 'A cache did not take what was to be written to it.',
  'image-changed':
    'An image has other bytes than its record says, or changed while it was read. A machine that ' +
    'ran from it may have written to it.',
  'image-damaged': 'A partition of an image cannot be unpacked.',
  'installed-damaged': 'A file of the running image differs from what its manifest lists.',
  'manifest-damaged': 'The manifest of an installed image cannot be read as one.',
  'not-an-artifact': 'A stored file is used as an artifact, but is something else.',
  'not-listed': 'The root of an image holds a path that its manifest does not list.',
  'parity-input-changed': 'A file changed while its parity was made.',
  'parity-mixed': 'The parity files are of several sets, so it is not clear what they protect.',
  'parity-not-enough': 'More blocks of the protected files are lost than parity can rebuild.',
  'parity-not-rebuilt':
    'A file that was rebuilt by parity has a wrong digest. Files changed meanwhile, or parity is ' +
    'not what it seems.',
  'parity-refused':
    'Parity files state what no honest program writes, such as a name outside the folder.',
  'parity-unreadable': 'The parity files do not hold, or no longer hold, what they protect.',
  'receipt-invalid': 'A line is no receipt, or contradicts itself. Someone may have changed it.',
  'receipt-signature': 'A signature is damaged, for another purpose, or not that of its file.',
  'source-digest': 'A place delivered other bytes than the recipe wants.',
  'source-offline': 'No local place has a source, and the build may not ask others.',
  'source-renamed': 'The digest of a source is known, but as that of a file with another name.',
  'source-unavailable': 'No place delivered a source. The message lists each place and its reason.',
  'source-unreadable': 'A source cannot be unpacked, so nobody can list what it holds.',
  'store-damaged': 'Parts of the store do not fit their digests. The disk may be failing.',
  'versions-offline': 'Newer versions cannot be looked up without asking the places of sources.',
  'versions-unavailable':
    'A place gave no list of versions. The message names the packages that are not known.',
} as const satisfies Readonly<Record<string, string>>
