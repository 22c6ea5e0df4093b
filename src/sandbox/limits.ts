/**
 * Limits of the sandbox's processes, as options of the shell's `ulimit`: soft, then hard. They are
 * the same on every machine, so none of the caller's reaches an output. Stack and open files are
 * Linux's usual values; a compiler may raise its stack to the hard limit, as gcc does. No core
 * files: one in `$OUT` would be part of the artifact.
 */
const LIMITS: readonly (readonly [option: string, soft: string, hard: string])[] = [
  ['-c', '0', '0'],
  ['-s', '8192', '65536'],
  ['-n', '1024', '4096'],
  ['-l', '64', '64'],
  ...['-t', '-f', '-d', '-v'].map((option) => [option, 'unlimited', 'unlimited'] as const),
]

/**
 * Processes and threads that the sandbox may have. A machine with a lower limit of its own keeps
 * that.
 */
const PROCESSES = 8192

/** What a host says whose own hard limit is lower than one of ours. */
const REFUSAL = 'a hard limit of this process is lower than a build needs: see "ulimit -H'

/**
 * Sets the limits. POSIX has no name for the number of processes: dash
 * says -p, bash -u.
 */
const SCRIPT = [
  ...LIMITS.map(
    ([option, soft, hard]) =>
      `{ ulimit -S ${option} ${soft} && ulimit -H ${option} ${hard}; } 2>/dev/null || { ` +
      `echo '${REFUSAL} ${option}"' >&2; exit 1; }`,
  ),
  `ulimit -p ${PROCESSES} 2>/dev/null || ulimit -u ${PROCESSES} 2>/dev/null || :`,
  '',
].join('\n')

const OPEN = 'file=$1\nshift\nexec '

/**
 * Words in front of a command that give it the constant limits, and `opened` as a file to read:
 * its descriptor has one digit.
 */
export function limited(opened?: { readonly file: string; readonly as: number }): string[] {
  return opened === undefined
    ? ['sh', '-c', `${SCRIPT}exec "$@"`, 'sh']
    : ['sh', '-c', `${OPEN}${opened.as}< "$file"\n${SCRIPT}exec "$@"`, 'sh', opened.file]
}
