import { execFileSync } from 'node:child_process'

/**
 * Does something as a user whom modes bind, and who owns all below `folder` unless `own` is false.
 */
export async function asUser(
  folder: string,
  act: () => Promise<void>,
  { own = true } = {},
): Promise<void> {
  if (process.getuid?.() !== 0) return act()
  const user = 65534
  if (own) execFileSync('chown', ['-R', '-h', String(user), folder])
  process.seteuid?.(user)
  try {
    await act()
  } finally {
    process.seteuid?.(0)
  }
}
