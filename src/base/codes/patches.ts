/**
 * What patch(1) never applies; and what it may skip, apply in part or elsewhere, and still end with
 * status 0.
 */
export const PATCHES = {
  'patch-binary': 'The patch holds binary data.',
  'patch-carriage-return': 'The head lines of the patch end in CR LF.',
  'patch-context-diff': 'The patch is a context diff. Only unified diffs are applied.',
  'patch-copy': 'The patch copies a file.',
  'patch-cut-off': 'A hunk of the patch has fewer lines than its head counts.',
  'patch-ed-script': 'A line of the patch counts as a command of an editor.',
  'patch-empty': 'The patch is empty.',
  'patch-header': 'The lines about a file in the patch contradict the hunks that follow.',
  'patch-hunk-count': 'A hunk of the patch has more lines than its head counts.',
  'patch-hunk-header': 'A line of the patch should be the head of a hunk, and is not.',
  'patch-hunk-order': 'The hunks of a file are out of order or overlap.',
  'patch-indented': 'A head line of the patch is indented or quoted.',
  'patch-left-out': '`diff` noted a change in the patch that it did not write down.',
  'patch-link': 'The patch gives a symbolic link a target that is not one line without newline.',
  'patch-mode': 'The patch sets a mode that would not be applied.',
  'patch-name': 'The patch does not name a file below a first component, or names two.',
  'patch-no-change': 'A hunk of the patch changes nothing.',
  'patch-no-context': 'A hunk of the patch only adds lines, without lines to find its place by.',
  'patch-no-hunk': 'The patch has no hunk to apply.',
  'patch-no-newline': 'A line without newline is not the last line of its file in the patch.',
  'patch-rename': 'The patch renames a file.',
  'patch-submodule': 'The patch changes a submodule of git.',
  'patch-timestamp': 'A time in the patch leaves open whether the file exists.',
} as const satisfies Readonly<Record<string, string>>
