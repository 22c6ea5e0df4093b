/**
 * System calls that a step must not make, as a program for seccomp(2). They reach what namespaces
 * do not divide, or make the kernel a much larger target. A kernel built without them answers the
 * same, so no tool counts on them.
 */

/** Calls of x86-64 by number that the sandbox's kernel seems not to have. */
const ABSENT = {
  // The caller's keys are handed on to all that it starts, and theirs to the caller.
  add_key: 248,
  request_key: 249,
  keyctl: 250,
  // The kernel's messages.
  syslog: 103,
  perf_event_open: 298,
  // It makes calls that no filter sees.
  io_uring_setup: 425,
  // Its flags cannot be seen here. Libraries then use clone.
  clone3: 435,
} as const

/** Calls whose first argument has flags, one of which makes a user namespace. */
const NEW_NAMESPACES = { clone: 56, unshare: 272 } as const

/**
 * Who has made a user namespace may mount file systems: that of control groups, say, where a
 * sandbox of root could change those of the machine.
 */
const CLONE_NEWUSER = 0x1000_0000

const SOCKET = 41

/** Families of sockets: local, IPv4, IPv6, netlink. Network namespaces do not divide all others. */
const FAMILIES = [1, 2, 10, 16]

/** Codes of errors. */
const [EPERM, ENOSYS, EAFNOSUPPORT] = [1, 38, 97] as const

/** Instructions of the kernel's BPF: see its Documentation/userspace-api/seccomp_filter.rst. */
const [LOAD, RETURN, IF_EQUAL, IF_AT_LEAST, IF_ANY_OF] = [0x20, 0x06, 0x15, 0x35, 0x45] as const

/** Where `struct seccomp_data` has what a program looks at. */
const [NUMBER, MACHINE, FIRST_ARGUMENT] = [0, 4, 16] as const

const X86_64 = 0xc000_003e

/** The lowest number of a call of the x32 ABI, which few kernels have. */
const X32 = 0x4000_0000

const ALLOW = 0x7fff_0000
const KILL = 0x8000_0000

/** One instruction; `yes` and `no`: how many to skip after a test. */
interface Instruction {
  readonly code: number
  readonly value: number
  readonly yes?: number
  readonly no?: number
}

function fail(code: number): Instruction {
  return { code: RETURN, value: 0x0005_0000 | code }
}

/** Does `then`, which ends the program, for one call. */
function on(call: number, then: readonly Instruction[]): Instruction[] {
  return [{ code: IF_EQUAL, value: call, no: then.length }, ...then]
}

function program(): Instruction[] {
  const allow = { code: RETURN, value: ALLOW }
  return [
    { code: LOAD, value: MACHINE },
    { code: IF_EQUAL, value: X86_64, yes: 1 },
    { code: RETURN, value: KILL },
    { code: LOAD, value: NUMBER },
    { code: IF_AT_LEAST, value: X32, no: 1 },
    fail(ENOSYS),
    ...Object.values(ABSENT).flatMap((call) => on(call, [fail(ENOSYS)])),
    ...Object.values(NEW_NAMESPACES).flatMap((call) =>
      on(call, [
        { code: LOAD, value: FIRST_ARGUMENT },
        { code: IF_ANY_OF, value: CLONE_NEWUSER, no: 1 },
        fail(EPERM),
        allow,
      ]),
    ),
    ...on(SOCKET, [
      { code: LOAD, value: FIRST_ARGUMENT },
      ...FAMILIES.map((family, at) => ({
        code: IF_EQUAL,
        value: family,
        yes: FAMILIES.length - at,
      })),
      fail(EAFNOSUPPORT),
      allow,
    ]),
    allow,
  ]
}

/** The program as bubblewrap's `--seccomp` reads it: `struct sock_filter`, one after the other. */
export function callFilter(): Buffer {
  return Buffer.concat(
    program().map(({ code, value, yes = 0, no = 0 }) => {
      const bytes = Buffer.alloc(8)
      bytes.writeUInt16LE(code, 0)
      bytes.writeUInt8(yes, 2)
      bytes.writeUInt8(no, 3)
      bytes.writeUInt32LE(value, 4)
      return bytes
    }),
  )
}
