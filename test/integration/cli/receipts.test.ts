import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { hostname, userInfo } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseReceipt, type Receipt } from '../../../src/report/receipts/receipt.ts'
import {
  commandLine,
  diskStyle,
  jsonLines,
  makes,
  onSmallDisk,
  ranIn,
  recipe,
  step,
  TOOLS_RECIPE,
  type Toy,
} from '../../support/cli.ts'

const makeToy = commandLine()

const IN = 'inputs: [bootstrap/tools]'

/** An image of two packages. */
const IMAGE = {
  'layers/styles/disk.yaml': diskStyle('cat "$MANIFEST" > "$OUT/{{name}}.img"'),
  'layers/bootstrap/tools/recipe.yaml': TOOLS_RECIPE,
  'layers/product/words/recipe.yaml': makes('words', 'plain', IN),
  'layers/product/more/recipe.yaml': makes('more', 'more', IN),
  'layers/product/disk/recipe.yaml': recipe(
    'disk',
    IN,
    'style: disk',
    'contents: [product/more, product/words]',
  ),
}

/** All receipts in a folder, which has no other files than them and their signatures. */
async function receiptsIn(folder: string): Promise<Receipt[]> {
  const names = existsSync(folder) ? await readdir(folder) : []
  const files = names.filter((name) => !name.endsWith('.sig'))
  expect(files.every((name) => /^[0-9a-f]{16}\.intoto\.jsonl$/.test(name))).toBe(true)
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')))
  return texts.flatMap((text) => text.trimEnd().split('\n').map(parseReceipt))
}

const recipesOf = (receipts: readonly Receipt[]): string[] => receipts.map((one) => one.recipe)

test('a build writes one receipt for each action that ran, and none for what was stored', async () => {
  const { run, folder } = await makeToy(IMAGE)
  const to = (name: string): string[] => ['--receipts', join(folder, name)]
  const first = await run('--json', 'build', 'words', ...to('first'))
  expect(first.code, first.stderr).toBe(0)
  const receipts = await receiptsIn(join(folder, 'first'))
  expect(recipesOf(receipts).sort()).toEqual(ranIn(jsonLines(first.stdout)).sort())
  expect(recipesOf(receipts)).toContain('product/words')
  const second = await run('build', 'words', 'more', ...to('second'))
  expect(second.code, second.stderr).toBe(0)
  expect(recipesOf(await receiptsIn(join(folder, 'second')))).toEqual(['product/more'])
  const third = await run('build', 'words', 'more', ...to('third'))
  expect(third.stdout).toContain('receipts: none')
  expect(existsSync(join(folder, 'third'))).toBe(false)
})

test('a receipt names no machine, user or path', async () => {
  const { runWith, folder, store } = await makeToy(IMAGE)
  const env = { USER: 'canary-user', LOGNAME: 'canary-user', HOSTNAME: 'canary-host' }
  const globals = ['--layers', join(folder, 'layers/layers.yaml'), '--store', store]
  // A name in the kernel, which a user may set in a namespace of its own.
  const wrap = ['unshare', '-Uru', 'sh', '-c', 'hostname canary-host && exec "$@"', 'sh']
  const out = join(folder, 'receipts')
  const how = { env, globals, wrap }
  const { code, stderr } = await runWith(how, 'build', 'disk', '-o', 'out', '--receipts', out)
  expect(code, stderr).toBe(0)
  const [name = ''] = await readdir(out)
  const text = await readFile(join(out, name), 'utf8')
  for (const canary of [
    'canary',
    folder,
    store,
    process.cwd(),
    process.execPath,
    '/home/',
    '/tmp/',
  ])
    expect(text).not.toContain(canary)
  expect(text).not.toMatch(new RegExp(`\\b(${hostname()}|${userInfo().username})\\b`))
})

test('what ran before a failure has its receipt', async () => {
  const { run, folder } = await makeToy({
    ...IMAGE,
    'layers/product/bad/recipe.yaml': recipe(
      'bad',
      'inputs: [bootstrap/tools, product/words]',
      'style: plain',
      step('exit 1'),
    ),
  })
  const { code } = await run('build', 'bad', '--receipts', join(folder, 'receipts'))
  expect(code).toBe(1)
  expect(recipesOf(await receiptsIn(join(folder, 'receipts'))).sort()).toEqual([
    'bootstrap/tools',
    'product/words',
  ])
})

test('what ran before an interruption has its receipt', async () => {
  const { start, folder } = await makeToy({
    ...IMAGE,
    'layers/product/slow/recipe.yaml': recipe(
      'slow',
      'inputs: [bootstrap/tools, product/words]',
      'style: plain',
      step('while :; do :; done'),
    ),
  })
  const child = start('--json', 'build', 'slow', '--receipts', join(folder, 'receipts'))
  let stdout = ''
  child.stdout!.on('data', (data) => {
    stdout += String(data)
    if (/"step-start".*"product\/slow"/.test(stdout)) child.kill('SIGINT')
  })
  expect(await new Promise((resolve) => child.once('close', resolve))).toBe(130)
  expect(recipesOf(await receiptsIn(join(folder, 'receipts'))).sort()).toEqual([
    'bootstrap/tools',
    'product/words',
  ])
})

test('a disk that is full leaves no half file', async () => {
  const { run, startWith, folder } = await makeToy(IMAGE)
  expect((await run('build', 'words')).code).toBe(0)
  const small = join(folder, 'small')
  await mkdir(small)
  const child = startWith(
    [
      ...onSmallDisk(small, 1),
      'sh',
      '-c',
      `head -c 9999999 /dev/zero > ${small}/full; "$@"
      code=$?; ls ${small}; exit $code`,
      'sh',
    ],
    ...['build', 'more', '--receipts', small],
  )
  let [stdout, stderr] = ['', '']
  child.stdout!.on('data', (data) => (stdout += String(data)))
  child.stderr!.on('data', (data) => (stderr += String(data)))
  const code = await new Promise((resolve) => child.once('close', resolve))
  expect(stderr).toContain('the disk is full')
  expect(code).toBe(6)
  expect(stdout.split('\n').filter((line) => /intoto/.test(line))).toEqual([])
})

test('a key without a folder for receipts is refused, and so is one that is none', async () => {
  const { run, folder } = await makeToy(IMAGE)
  const key = join(folder, 'layers/layers.yaml')
  expect(await run('build', 'words', '--sign', key)).toMatchObject({ code: 2 })
  if (!existsSync('/usr/bin/ssh-keygen')) return
  const refused = await run('build', 'words', '--receipts', folder, '--sign', key)
  expect(refused).toMatchObject({ code: 2, stdout: '' })
  // Before anything runs.
  expect(refused.stderr).not.toContain('build product/words')
})

test('a folder that takes no receipts is refused before anything runs', async () => {
  const { run, folder } = await makeToy(IMAGE)
  const file = join(folder, 'layers/layers.yaml')
  for (const command of ['build', 'verify']) {
    const refused = await run(command, 'words', '--receipts', join(file, 'receipts'))
    expect(refused).toMatchObject({ code: 6, stdout: '' })
    expect(refused.stderr).toContain(`"${file}" is none`)
    expect(refused.stderr).not.toContain('build product/words')
  }
})

test('verify writes receipts of both builds, which are the same file on one machine', async () => {
  const { run, folder } = await makeToy(IMAGE)
  // The second build may be that of another user.
  await chmod(folder, 0o755)
  const out = join(folder, 'receipts')
  const second = ['--second', join(folder, 'second')]
  const { code, stderr } = await run('verify', 'words', ...second, '--receipts', out)
  expect(code, stderr).toBe(0)
  expect(new Set(recipesOf(await receiptsIn(out)))).toEqual(
    new Set(['bootstrap/tools', 'product/words']),
  )
  // Nothing runs in the first build now.
  const again = join(folder, 'again')
  await run('verify', 'words', ...second, '--receipts', again)
  expect(recipesOf(await receiptsIn(again))).toContain('product/words')
})

describe.skipIf(!existsSync('/usr/bin/ssh-keygen'))('with ssh-keygen', () => {
  /** A builder with a store and a key of its own. */
  async function builder(toy: Toy, name: string) {
    const key = join(toy.folder, `${name}.key`)
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'me@canary', '-f', key])
    const layers = ['--layers', join(toy.folder, 'layers/layers.yaml')]
    const globals = [...layers, '--store', join(toy.folder, `${name}.store`)]
    const to = ['--receipts', join(toy.folder, 'receipts'), '--sign', key]
    const [type, blob] = (await readFile(`${key}.pub`, 'utf8')).split(' ')
    return {
      line: `${name} namespaces="fixpoint-receipt" ${type} ${blob}\n`,
      build: async (...words: string[]) => {
        const { code, stderr } = await toy.runWith({ globals }, 'build', ...words, ...to)
        expect(code, stderr).toBe(0)
      },
    }
  }

  test.each(['rsa -b 1024', 'dsa'])('no key signs that no reader accepts: %s', async (type) => {
    const { run, folder } = await makeToy(IMAGE)
    const key = join(folder, 'key (RSA)')
    execFileSync('ssh-keygen', ['-q', '-t', ...type.split(' '), '-N', '', '-C', '(RSA)', '-f', key])
    const refused = await run('build', 'words', '--receipts', folder, '--sign', key)
    expect(refused).toMatchObject({ code: 2, stdout: '' })
    expect(refused.stderr).toMatch(/an RSA key has at least 2048 bits|"DSA" are not supported/)
    expect(refused.stderr).not.toContain('build product/words')
  })

  test('two builders confirm an image together', async () => {
    const toy = await makeToy(IMAGE)
    const [alice, bob] = [await builder(toy, 'alice'), await builder(toy, 'bob')]
    expect((await toy.run('build', 'disk', '-o', 'out')).code).toBe(0)
    const signers = join(toy.folder, 'signers')
    await writeFile(signers, alice.line + bob.line)
    const receipts = (...words: string[]) =>
      toy.run('receipts', 'out/disk.json', 'receipts', '--signers', signers, ...words)
    await alice.build('words', 'more')
    const first = await receipts('--require', '1')
    expect(first.code).toBe(1)
    expect(first.stderr).toContain('product/disk: 0 of 1')
    expect(first.stderr).not.toContain('product/words:')
    await bob.build('disk', '-o', 'bobs')
    expect(await receipts('--require', '1')).toMatchObject({ code: 0, stderr: '' })
    const lines = jsonLines((await receipts('--json')).stdout)
    const counts = lines
      .filter(({ type }) => type === 'confirmation')
      .map((line) => [line['recipe'], (line['builders'] as string[]).length])
    expect(Object.fromEntries(counts)).toEqual({
      'product/words': 2,
      'product/more': 2,
      'product/disk': 1,
    })
    // The shell is of a layer that sees the host.
    expect(lines.filter(({ type }) => type === 'apart')).toMatchObject([{ why: 'host-layer' }])
    expect((await receipts('--require', '2')).code).toBe(1)
    // Some time later their keys are out of date.
    await writeFile(signers, alice.line.replace('namespaces', 'valid-before="20200101",namespaces'))
    expect((await receipts('--require', '1')).code).toBe(1)
    expect((await receipts('--at', '20191231')).stdout).toMatch(/words +1 builder /)
  })
})
