import { EPOCH } from '../base/constants.ts'

/** Where an action finds things. */
export const PATHS = {
  source: '/build/src',
  object: '/build/obj',
  out: '/out',
  sources: '/sources',
  patches: '/patches',
  files: '/files',
  contents: '/contents',
  mirror: '/mirror',
  manifest: '/manifest.json',
  steps: '/steps',
  jobserver: '/run/jobserver',
} as const

/** Variables that every action has, the same on every machine. */
export function constantEnvironment(host: boolean): Record<string, string> {
  return {
    // The tools an action was given come first; in a host layer those hide the host's of the same
    // name.
    PATH: host ? '/bootstrap/bin:/usr/bin' : '/usr/bin:/bootstrap/bin',
    HOME: '/tmp',
    TMPDIR: '/tmp',
    SHELL: '/bin/sh',
    USER: 'builder',
    LOGNAME: 'builder',
    TERM: 'dumb',
    LC_ALL: 'C',
    TZ: 'UTC',
    SOURCE_DATE_EPOCH: String(EPOCH),
    // The order of tables in memory is else another one in each run. Compiled modules of Python
    // hold times.
    PYTHONHASHSEED: '0',
    PYTHONDONTWRITEBYTECODE: '1',
    PERL_HASH_SEED: '0',
    SRC: PATHS.source,
    OBJ: PATHS.object,
    OUT: PATHS.out,
    SOURCES: PATHS.sources,
    PATCHES: PATHS.patches,
    FILES: PATHS.files,
  }
}

/**
 * Files of /etc that every action finds unless an input holds them: its user and host have names.
 */
export const ETC_FILES: Readonly<Record<string, string>> = {
  hosts: '127.0.0.1\tlocalhost fixpoint\n::1\tlocalhost\n',
  passwd:
    'root:x:0:0:root:/:/bin/sh\nbuilder:x:1000:1000:builder:/tmp:/bin/sh\n' +
    'nobody:x:65534:65534:nobody:/:/bin/false\n',
  group: 'root:x:0:\nbuilder:x:1000:\nnogroup:x:65534:\n',
  'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files\n',
}

/**
 * Files of /proc that only the machine's root may read. A sandbox that root started would be that
 * root to them.
 */
export const PROC_SECRETS = [
  ...['kcore', 'kmsg', 'kpagecgroup', 'kpagecount', 'kpageflags'],
  ...['slabinfo', 'timer_list', 'vmallocinfo'],
] as const

/** Files of /proc that tell of the machine, and what every action reads there instead. */
export const PROC_FILES: Readonly<Record<string, string>> = {
  cpuinfo:
    'processor\t: 0\nvendor_id\t: Fixpoint\nmodel name\t: x86-64\ncpu cores\t: 1\n' +
    'flags\t\t: fpu sse sse2\n\n',
  version: 'Linux version 6.12.0 (builder@fixpoint) #1 SMP\n',
  cmdline: '\n',
}
