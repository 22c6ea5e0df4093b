/** What went wrong while something was built or booted. */
export const BUILD_FAILED = {
  'artifact-changed':
    'A file changed while the artifact was packed. A step left a process behind that still writes.',
  'artifact-empty': 'No step put anything into `$OUT`.',
  'artifact-name': 'A name in `$OUT` cannot be in an artifact: it is not UTF-8, or too long.',
  'artifact-parent': 'An artifact has a path, but no artifact has the folder that it is in.',
  'artifact-special-file':
    'A step put a device, a socket or a pipe into `$OUT`. Artifacts hold files, folders and links.',
  'artifact-too-large': 'The files in `$OUT` are larger than an artifact may be.',
  'artifact-unreadable':
    'A file or folder in `$OUT` has a mode that keeps its owner from reading it.',
  'boot-ended': 'The virtual machine ended before the expected text was on its console.',
  'boot-timeout': 'The virtual machine did not do in time what was expected of it.',
  'command-too-large': 'The variables of a step are larger than the kernel allows.',
  'license-changed': 'The text of a license in a source is not the one that the recipe states.',
  'mount-point-claimed': 'An input has a path where the sandbox mounts something of its own.',
  'not-confirmed': 'An artifact of the image has fewer confirmations than were asked for.',
  'path-claimed-twice': 'Two inputs of a recipe have the same path, so they cannot be joined.',
  'qmp-closed': 'QEMU ended while it was being commanded.',
  'qmp-refused': 'QEMU refused a command, such as one about a disk that it does not have.',
  'rebuild-failed':
    "The image's own engine failed to rebuild it. Its error is above, and its exit status is kept.",
  'record-in-the-way': 'An image has a file with the name that its record would get.',
  'second-build-failed':
    'The second of two builds failed. Its error is above, and its exit status is kept.',
  'signing-failed': 'The receipts are written, but ssh-keygen did not sign them.',
  'step-failed': 'A step of a recipe ended with an error, took too long or wrote too much.',
  'unsafe-path':
    'A path that a step or an artifact controls leads through a link, or to no regular file.',
} as const satisfies Readonly<Record<string, string>>
