import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { freePort } from './free-port.ts'
import { waitUntil } from './rig.ts'
import { temporaryFolder } from './temporary.ts'
import { CHECKOUT } from './tree.ts'

/** Debian's nginx with its libraries, as `.ci/servers` unpacks it. */
const UNPACKED = process.env['FIXPOINT_NGINX'] ?? join(homedir(), '.cache/fixpoint-nginx')

/** Whether there is an nginx to test with. */
export const hasNginx = existsSync(join(UNPACKED, 'usr/sbin/nginx'))

/** Who may write, as the page for teams has it. */
const [USER, PASSWORD] = ['ci', 'SECRET-password']

/** A cache that nginx serves, with the configuration that docs/team.md shows. */
export interface NginxCache {
  /** Where everyone reads. */
  readonly address: string
  /** Where one user writes. */
  readonly writing: string
  /** The folder that it serves. */
  readonly folder: string
  /** Lines of its log: status, method, path. */
  readonly requests: () => string[]
  readonly start: () => void
  readonly stop: () => Promise<void>
}

/** Starts nginx over `folder`; it ends with the test. `more` are lines of its `http` block. */
export async function nginxCache(folder: string, more = ''): Promise<NginxCache> {
  const own = await temporaryFolder()
  const file = (name: string): string => join(own, name)
  const port = await freePort()
  const users = file('cache.users')
  await writeFile(users, `${USER}:{PLAIN}${PASSWORD}\n`)
  await mkdir(folder, { recursive: true })
  const server = await documented({
    'listen 80;': `listen 127.0.0.1:${String(port)};`,
    '/srv/cache': `"${folder}"`,
    '/etc/nginx/cache.users': users,
  })
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  await writeFile(
    file('nginx.conf'),
    [
      // Only root may name a user, and needs one that may read the test's folders.
      process.getuid?.() === 0 ? 'user root;' : '',
      `pid ${file('pid')};`,
      'events {}',
      'http {',
      "log_format short '$status $request_method $uri';",
      `access_log ${file('access.log')} short;`,
      ...temporary.map((name) => `${name}_temp_path ${file(name)};`),
      more,
      server,
      '}',
      '',
    ].join('\n'),
  )
  const pidOf = (): number => Number(readFileSync(file('pid'), 'utf8'))
  const stop = async (): Promise<void> => {
    if (!existsSync(file('pid'))) return
    process.kill(pidOf(), 'SIGTERM')
    await waitUntil(() => !existsSync(file('pid')))
  }
  const start = (): void => {
    if (nginx('-p', own, '-c', file('nginx.conf'), '-e', file('error.log'))) return
    throw new Error(`nginx did not start: ${readFileSync(file('error.log'), 'utf8')}`)
  }
  start()
  onTestFinished(stop)
  const host = `127.0.0.1:${String(port)}`
  return {
    address: `http://${host}`,
    writing: `http://${USER}:${PASSWORD}@${host}`,
    folder,
    requests: () => readFileSync(file('access.log'), 'utf8').trimEnd().split('\n'),
    start,
    stop,
  }
}

/** The configuration of docs/team.md, with other places. Fails where it does not have one. */
async function documented(places: Readonly<Record<string, string>>): Promise<string> {
  const page = await readFile(join(CHECKOUT, 'docs/team.md'), 'utf8')
  let text = /```nginx\n([^`]*)```/.exec(page)?.[1] ?? ''
  for (const [shown, place] of Object.entries(places)) {
    if (!text.includes(shown)) throw new Error(`docs/team.md does not show "${shown}"`)
    text = text.replace(shown, place)
  }
  return text
}

/** Starts it by its own loader. Returns once it listens, since it starts a daemon. */
function nginx(...args: readonly string[]): boolean {
  const libraries = join(UNPACKED, 'usr/lib/x86_64-linux-gnu')
  const { status } = spawnSync(
    join(libraries, 'ld-linux-x86-64.so.2'),
    ['--library-path', libraries, join(UNPACKED, 'usr/sbin/nginx'), ...args],
    { stdio: 'ignore' },
  )
  return status === 0
}
