/** Codes of commands that were told to stop. */
export const INTERRUPTED = {
  interrupted: 'Ctrl-C or a signal ended the command. The next run goes on from there.',
  'write-interrupted':
    'Ctrl-C or a signal ended `write`. The message says what the disk holds. The next run ' +
    'begins again.',
} as const
