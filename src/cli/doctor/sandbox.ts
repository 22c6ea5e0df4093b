import { probeCommand } from '../../sandbox/probe.ts'
import { missing, ok, type Finding } from './finding.ts'
import type { Host } from './host.ts'
import { asRoot } from './remedies.ts'

/** What a container may be told so that programs in it can make containers themselves. */
const CONTAINER =
  'in a container, start that with --security-opt seccomp=unconfined --security-opt ' +
  'apparmor=unconfined --security-opt systempaths=unconfined'

/**
 * Can the sandbox be set up? Sets one up, and looks for the reason when that fails. Says nothing
 * when its programs are missing.
 */
export async function examineSandbox(host: Host): Promise<Finding[]> {
  if ((await host.find('setarch')) === undefined) return []
  const personality = await host.run('setarch', ['linux64', '-R', 'true'])
  if (!personality.ok) {
    const message = `address randomization cannot be turned off: ${lastLine(personality.output)}`
    return [missing('personality', 'build', message, `allow personality(2): ${CONTAINER}`)]
  }
  if ((await host.find('bwrap')) === undefined) return []
  const [command = '', ...args] = probeCommand()
  const { ok: works, output } = await host.run(command, args)
  return [
    works
      ? ok('sandbox', 'build', 'the sandbox can be set up')
      : await diagnose(host, lastLine(output)),
  ]
}

async function diagnose(host: Host, reason: string): Promise<Finding> {
  const setting = async (path: string): Promise<string | undefined> =>
    (await host.read(`/proc/sys/${path}`))?.trim()
  const forbidden = (code: string, why: string, remedy: string): Finding =>
    missing(code, 'build', `the sandbox cannot be set up: ${why} (${reason})`, remedy)
  const sysctl = (assignment: string): string =>
    `${asRoot(host, `sysctl -w ${assignment}`)}; to keep it, put that assignment into a ` +
    `file in /etc/sysctl.d`

  if ((await setting('user/max_user_namespaces')) === '0') {
    return forbidden(
      'user-namespaces',
      'this kernel is set to allow no user namespaces',
      sysctl('user.max_user_namespaces=15000'),
    )
  }
  if ((await setting('kernel/unprivileged_userns_clone')) === '0') {
    return forbidden(
      'user-namespaces',
      'user namespaces are kept for root',
      sysctl('kernel.unprivileged_userns_clone=1'),
    )
  }
  if ((await setting('kernel/apparmor_restrict_unprivileged_userns')) === '1') {
    const remedy =
      `${sysctl('kernel.apparmor_restrict_unprivileged_userns=0')}; or give /usr/bin/bwrap an ` +
      `AppArmor profile that allows "userns"`
    return forbidden('apparmor', 'AppArmor forbids user namespaces', remedy)
  }
  if (/mount proc/i.test(reason))
    return forbidden('proc', 'a fresh /proc may not be mounted', CONTAINER)
  return forbidden(
    'sandbox',
    'the system forbids it',
    `allow user namespaces and mounts in them (a chroot forbids them): ${CONTAINER}`,
  )
}

function lastLine(output: string): string {
  return output.split('\n').at(-1)?.trim() ?? ''
}
