import { chmod, cp, mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { execa } from 'execa'
import { removeTree } from '../../src/base/remove-tree.ts'
import { startNginx } from '../support/nginx.ts'
import { CHECKOUT } from '../../src/cli/defaults.ts'

/**
 * cache TARGET: a cache stands in for a build. Pushes the results of a target, which the user's
 * store has, to nginx as the page for teams shows it. Then a copy of this checkout at another path
 * builds the target from an empty store, as another user if this one is root. Nothing may run there
 * but host layers, and the artifact must be the same. Says the time, the requests and the bytes.
 */
const [target = ''] = process.argv.slice(2)

/** A user that owns nothing. */
const OTHER_USER = 54_321

interface Line {
  readonly type: string
  readonly recipe?: string
  readonly artifact?: string
}

/** How a build is run. */
interface Run {
  readonly checkout: string
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly uid?: number
  readonly gid?: number
}

async function main(): Promise<void> {
  // Where another user gets to.
  const folder = await mkdtemp(join(tmpdir(), 'fixpoint-cache-'))
  await chmod(folder, 0o755)
  const own = join(folder, 'nginx')
  await mkdir(own)
  const cache = await startNginx({ checkout: CHECKOUT, folder: join(folder, 'served'), own })
  try {
    const { signer, artifact } = await push(folder, cache.writing)
    const run = await elsewhere(join(folder, 'another place'), cache.address, signer)
    const before = cache.requests().length
    const began = performance.now()
    const built = await build(run)
    const seconds = ((performance.now() - began) / 1000).toFixed(1)
    if (built.artifact !== artifact) throw new Error(`differs: ${artifact}, ${built.artifact}`)
    const above = built.ran.filter((id) => !id.startsWith('bootstrap/'))
    if (above.length > 0) throw new Error(`these were built again: ${above.join(', ')}`)
    console.log(`${target} ${artifact}: the same, in ${seconds} s`)
    console.log(`actions that ran: ${built.ran.length}`)
    const asked = cache.requests().slice(before)
    const bytes = asked.reduce((sum, request) => sum + request.bytes, 0)
    console.log(`requests: ${asked.length}, bytes: ${bytes}`)
  } finally {
    await cache.stop()
    await removeTree(folder)
  }
}

/** Writes the results of the user's store to the cache. */
async function push(folder: string, to: string): Promise<{ signer: string; artifact: string }> {
  const key = join(folder, 'ci-1.key')
  const config = join(folder, 'ci')
  const run = { checkout: CHECKOUT, cwd: folder, env: { XDG_CONFIG_HOME: config } }
  const signer = await fixpoint(run, 'cache', 'keygen', key)
  await configure(config, `cache: { write: '${to}', key: '${key}' }\n`)
  const { artifact } = await build(run, '--no-cache')
  console.log(await fixpoint(run, 'cache', 'push', target))
  return { signer, artifact }
}

/** A copy of the checkout, with a home that has the cache, for another user if that can be. */
async function elsewhere(place: string, from: string, signer: string): Promise<Run> {
  const checkout = join(place, 'checkout')
  await cp(CHECKOUT, checkout, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !['.git', 'out'].includes(relative(CHECKOUT, path)),
  })
  const config = join(place, 'config')
  await configure(config, `cache: { read: ['${from}'], keys: ['${signer}'] }\n`)
  const env = { HOME: place, XDG_CONFIG_HOME: config, FIXPOINT_STORE: join(place, 'store') }
  const run = { checkout, cwd: place, env }
  if (process.getuid?.() !== 0) return run
  await execa('chown', ['-R', `${OTHER_USER}:${OTHER_USER}`, place])
  return { ...run, uid: OTHER_USER, gid: OTHER_USER }
}

/** Builds the target. Resolves with its artifact, and the recipes whose actions ran. */
async function build(
  run: Run,
  ...flags: readonly string[]
): Promise<{ artifact: string; ran: string[] }> {
  const stdout = await fixpoint(run, '--json', 'build', ...flags, target)
  const lines = stdout.split('\n').map((line) => JSON.parse(line) as Line)
  const artifact = lines.find(({ type }) => type === 'target')?.artifact
  if (artifact === undefined) throw new Error(`no target in:\n${stdout}`)
  const ran = lines.flatMap(({ type, recipe = '' }) => (type === 'action-end' ? [recipe] : []))
  return { artifact, ran }
}

async function fixpoint({ checkout, ...how }: Run, ...words: readonly string[]): Promise<string> {
  const main = join(checkout, 'dist/src/cli/main.js')
  const layers = join(checkout, 'layers/layers.yaml')
  const { stdout } = await execa(process.execPath, [main, '--layers', layers, ...words], how)
  return stdout
}

async function configure(home: string, text: string): Promise<void> {
  await mkdir(join(home, 'fixpoint'), { recursive: true })
  await writeFile(join(home, 'fixpoint/config.yaml'), text)
}

await main()
