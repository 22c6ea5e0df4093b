import type { PATCHES } from '../../base/codes/patches.ts'

/** Codes of the faults of patches. */
export type PatchCode = keyof typeof PATCHES

const AGAIN = 'Make it again by `diff -u` or `git diff`'

/**
 * What GNU patch never applies; and what it may skip, apply in part or apply elsewhere, and still
 * end with status 0. Each with the reason, and what to do instead.
 */
export const PATCH_REASONS = {
  'patch-empty': ['it is empty', 'Remove it'],
  'patch-no-hunk': [
    'there is no hunk to apply',
    'It starts with --- a/FILE, +++ b/FILE and @@, as `diff -u` writes it',
  ],
  'patch-header': ['what is said about the file does not go with the hunks that follow', AGAIN],
  'patch-indented': [
    'the line counts as the head of a change, although something is in front of it',
    'Put > in front of lines that are quoted',
  ],
  'patch-name': [
    'it names no file below a first component, or not the same one twice',
    'Name the file a/FILE and b/FILE; in quotes where git writes no --- and the name holds blanks',
  ],
  'patch-timestamp': [
    'its time does not show whether the file is there',
    'Write /dev/null in place of a file that is not there, and take the times out',
  ],
  'patch-carriage-return': [
    'its lines end in CR LF',
    'Only lines of a hunk may end so, where the file has such lines',
  ],
  'patch-context-diff': ['it is a context diff', 'Make it by `diff -u`'],
  'patch-ed-script': ['the line counts as a command of an editor', 'Make it by `diff -u`'],
  'patch-left-out': ['diff saw a change that it did not write down', 'Make it by `git diff`'],
  'patch-hunk-header': [
    'the line is no head of such a hunk',
    'It has the form @@ -LINE,COUNT +LINE,COUNT @@',
  ],
  'patch-hunk-count': [
    'the hunk has more lines than its head counts',
    'Make it again by `diff -u`, or correct the head',
  ],
  'patch-hunk-order': [
    'the hunk starts before the one in front of it ends',
    'Put the hunks of a file in order',
  ],
  'patch-cut-off': [
    'the hunk has fewer lines than its head counts, or is missing',
    'It was cut off, or edited: make it again',
  ],
  'patch-no-change': ['the hunk changes nothing', 'Remove it'],
  'patch-no-context': [
    'the hunk only adds lines, and has none to be found by',
    'Make it by `diff -u`, with lines of context',
  ],
  'patch-no-newline': ['a line without newline is not the last one of the file', AGAIN],
  'patch-binary': ['it holds no text', 'Put the file into files/ and copy it in step prepare'],
  'patch-rename': [
    'a file that has the new name already would be taken in its place',
    'Write `mv OLD NEW` in step prepare',
  ],
  'patch-copy': [
    'a file that has the new name already would be taken in its place',
    'Write `cp OLD NEW` in step prepare',
  ],
  'patch-mode': [
    'the mode would not be set',
    'Modes are 100644 and 100755, and an old one has a new one',
  ],
  'patch-link': [
    'the target of a symbolic link is one line without newline',
    'Make it by `git diff`',
  ],
  'patch-submodule': ['it changes another repository', 'Add the other repository as a source'],
} as const satisfies Readonly<Record<PatchCode, readonly [reason: string, hint: string]>>
