/** What the machine, its disk, its programs or its rights do not allow. */
export const HOST_UNFIT = {
  'clock-behind': 'The clock of this machine shows a time before the time that all files get.',
  'default-acl': 'A default ACL on a folder would change the modes of the files that steps make.',
  'disk-changed': 'A disk was replaced by another one of the same name while the command ran.',
  'disk-failed':
    'A disk failed, or was unplugged, while an image was written to it. The message says what it ' +
    'holds.',
  'disk-full': 'The disk, or the quota of this user, is full.',
  'disk-read-back':
    'A disk did not give back the image that was written to it. Some sticks have less space than ' +
    'they say.',
  'git-failed': 'Git refused what was asked of a tree for editing.',
  'host-refuses': 'The system refused a call, for instance because a right is missing.',
  'host-unfit': 'The examination of this host found that it cannot build. The findings are above.',
  'kit-read-back': 'The disk did not give back what was written to it.',
  'little-memory': 'This machine has less memory than the largest recipe of the rebuild takes.',
  'little-space': 'The disk has less space than a rebuild of everything takes.',
  'lock-failed': 'The file system of the store cannot be locked.',
  'mirror-entry': 'A mirror folder has something else in the place of a file or of its list.',
  'mirror-listen': 'A mirror folder cannot be served at that address.',
  'mirror-read-back': 'The disk did not give back what was written to a mirror folder.',
  'namespaces-unavailable': 'The kernel does not let this user make the namespaces of a rebuild.',
  'no-git': 'Git is missing, which trees for editing need.',
  'no-folder': 'A folder cannot be made at that path.',
  'no-qemu': 'QEMU is not installed.',
  'no-ssh-keygen': 'The program that signs is not installed.',
  'no-uefi-firmware': 'No UEFI firmware for QEMU is installed.',
  'no-unpacker': 'A program that unpacks sources is not installed.',
  'no-unsquashfs': 'The program that unpacks images is not installed.',
  'not-a-file': 'A path leads to a folder, link, pipe or device, where a regular file is needed.',
  'not-flushed': 'The system could not write a folder to its disk.',
  'output-failed': 'Standard output cannot be written, for instance because its disk is full.',
  'output-full': 'The output folder has less space than the image of a rebuild takes.',
  'parity-thread': 'A thread that computes parity has ended, for instance for lack of memory.',
  'qemu-failed': 'QEMU did not start. The message has its own words.',
  'remote-failed':
    'A server could not have a worker run an action, and the build may not run it here.',
  'remote-runner':
    'The programs that run actions on workers are missing: static ones of node, bwrap and busybox.',
  'sandbox-tool-missing': 'A program that starts the sandbox is not installed.',
  'sandbox-unavailable':
    'The sandbox cannot be set up, for instance because the kernel forbids its namespaces.',
  'staging-unwritable': 'A download cannot be written into the store.',
  'store-changed': 'A file of the store disappeared during a build.',
  'store-layout': 'The folder is a store of another layout, which another version may have made.',
  'store-occupied': 'The folder cannot become a store, since it holds other things.',
  'store-owner': 'The store belongs to another user, and a sandbox of root cannot enter it.',
  'store-unreadable': 'A file in the store cannot be read, or is not what its name stands for.',
} as const satisfies Readonly<Record<string, string>>
