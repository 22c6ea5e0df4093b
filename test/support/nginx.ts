import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { freePort } from './free-port.ts'

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
  /** What was asked of it: status, method and path as a line, and the bytes of the answer. */
  readonly requests: () => { line: string; bytes: number }[]
  readonly start: () => void
  readonly stop: () => Promise<void>
}

/** What a cache is served from. */
export interface NginxPlace {
  /** Whose docs/team.md has the configuration. */
  readonly checkout: string
  /** The folder that is served. */
  readonly folder: string
  /** A new folder for what nginx itself writes. */
  readonly own: string
  /** Lines of its `http` block. */
  readonly more?: string
}

/** Starts nginx. The caller stops it. */
export async function startNginx(place: NginxPlace): Promise<NginxCache> {
  const { checkout, folder, own, more = '' } = place
  const file = (name: string): string => join(own, name)
  const port = await freePort()
  const users = file('cache.users')
  await writeFile(users, `${USER}:{PLAIN}${PASSWORD}\n`)
  await mkdir(folder, { recursive: true })
  const server = await documented(checkout, {
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
      "log_format short '$body_bytes_sent $status $request_method $uri';",
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
    while (existsSync(file('pid'))) await setTimeout(20)
  }
  const start = (): void => {
    if (nginx('-p', own, '-c', file('nginx.conf'), '-e', file('error.log'))) return
    throw new Error(`nginx did not start: ${readFileSync(file('error.log'), 'utf8')}`)
  }
  const requests = (): { line: string; bytes: number }[] =>
    readFileSync(file('access.log'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [bytes = '', ...words] = line.split(' ')
        return { line: words.join(' '), bytes: Number(bytes) }
      })
  start()
  const host = `127.0.0.1:${String(port)}`
  return {
    address: `http://${host}`,
    writing: `http://${USER}:${PASSWORD}@${host}`,
    folder,
    requests,
    start,
    stop,
  }
}

/** The configuration of docs/team.md, with other places. Fails where it does not have one. */
async function documented(
  checkout: string,
  places: Readonly<Record<string, string>>,
): Promise<string> {
  const page = await readFile(join(checkout, 'docs/team.md'), 'utf8')
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
