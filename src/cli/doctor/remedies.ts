import { MANIFEST_PATH } from '../../image/manifest.ts'
import type { Host } from './host.ts'

/**
 * How this host installs packages of Debian: by apt, or the user finds its own system's name for
 * them. In an image of ours nothing can be installed.
 */
export async function installRemedy(host: Host, packages: readonly string[]): Promise<string> {
  if (await isDebian(host))
    return asRoot(host, `apt-get install --no-install-recommends ${packages.join(' ')}`)
  if ((await host.read(`/${MANIFEST_PATH}`)) !== undefined)
    return 'nothing can be installed in an image that is running: use another machine for that'
  return (
    `install what Debian calls ${packages.map((name) => `"${name}"`).join(', ')} by your ` +
    `system's package manager`
  )
}

/** The command as it must be typed on this host. */
export function asRoot(host: Host, command: string): string {
  return host.root ? command : `sudo ${command}`
}

async function isDebian(host: Host): Promise<boolean> {
  const release = (await host.read('/etc/os-release')) ?? ''
  return /^ID(?:_LIKE)?=.*\b(?:debian|ubuntu)\b/m.test(release)
}
