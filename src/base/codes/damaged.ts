/** Codes of kits, mirrors and caches that are damaged. */
export const DAMAGED = {
  'cache-damaged':
    'A cache has a record that cannot be used, or whose bytes are missing or have another size.',
  'kit-beyond-repair':
    'Files of a kit cannot be repaired. The message names each. They are as before.',
  'kit-damaged': 'Files of a kit are damaged, missing or not listed. The list is above.',
  'kit-refused': 'A kit holds what no honest program writes, such as a path outside of it.',
  'mirror-damaged': 'Files of a mirror folder are damaged, missing or not listed. They are above.',
} as const
