import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import { removeTree } from '../../../src/base/remove-tree.ts'
import { lockFolder, markFolder } from '../../../src/store/claimed-folder.ts'
import type { Condition } from '../../../src/verify/variations.ts'
import { commandLine, jsonLines, makes, recipe, step, TOOLS_RECIPE } from '../../support/cli.ts'

const makeToy = commandLine()

/** Where another user gets to, if the tests run as root. */
async function elsewhere(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fixpoint-test-verify-'))
  onTestFinished(() => removeTree(folder))
  await chmod(folder, 0o755)
  return join(folder, 'second')
}

const IN = 'inputs: [bootstrap/tools]'

/**
 * Verifies three recipes, one of which installs what the script `planted` adds to a file; `shared`
 * holds both stores.
 */
async function verified(planted: string, shared?: string) {
  const toy = await makeToy({
    'layers/bootstrap/tools/recipe.yaml': TOOLS_RECIPE,
    'layers/product/plain/recipe.yaml': makes('plain', 'plain', IN),
    'layers/product/planted/recipe.yaml': recipe(
      'planted',
      IN,
      'style: plain',
      step('mkdir -p $OUT/usr/share', 'echo the same beginning > $OUT/usr/share/planted', planted),
    ),
    'layers/product/above/recipe.yaml': recipe(
      'above',
      'inputs: [bootstrap/tools, product/planted]',
      'style: plain',
      step('mkdir -p $OUT/usr/share', 'cat /usr/share/planted > $OUT/usr/share/above'),
    ),
  })
  await chmod(toy.folder, 0o755)
  const globals = [
    '--json',
    '--layers',
    join(toy.folder, 'layers/layers.yaml'),
    '--store',
    `${shared}/first`,
  ]
  return shared === undefined
    ? toy.run('verify', 'plain', 'above', '--second', await elsewhere())
    : toy.runWith({ globals }, 'verify', 'plain', 'above', '--second', `${shared}/second`)
}

/** A folder for both stores, on the file system of `parent`. */
async function sharedFolder(parent: string): Promise<string> {
  const folder = await mkdtemp(join(parent, 'fixpoint-test-verify-'))
  onTestFinished(() => removeTree(folder))
  await chmod(folder, 0o755)
  return folder
}

/** What `verify` says to be the same in both builds. */
function sameIn(stdout: string): string[] {
  const conditions = jsonLines(stdout).find(({ type }) => type === 'conditions')?.[
    'conditions'
  ] as Condition[]
  return conditions.flatMap(({ what, same }) => (same === undefined ? [] : [what]))
}

test('a second build of the same bytes is identical, and counted', async () => {
  const { code, stdout, stderr } = await verified(
    '{ umask; export -p; pwd; echo ~; } >> $OUT/usr/share/planted',
  )
  expect(code, stderr).toBe(0)
  expect(stdout).toMatch(/^differs in the second build: .*\nthe same in both: .*\n/)
  expect(stdout).toMatch(
    /\nproduct\/plain [0-9a-f]{64}\nproduct\/above [0-9a-f]{64}\nidentical: 3 artifacts/,
  )
})

test('a planted difference is named by package, file and offset, where it began', async () => {
  const { code, stderr } = await verified(
    'cat /proc/sys/kernel/random/uuid >> $OUT/usr/share/planted',
  )
  expect(code).toBe(5)
  expect(stderr).toMatch(
    /Two builds differ in 2 of 3 artifacts\n\s+product\/planted: "usr\/share\/planted": .*\b(1[89]|2\d)\b/,
  )
  expect(stderr).toMatch(/product\/above: another key/)
  expect(stderr).toMatch(/The second build is kept in ".*second"/)
})

test('with --alone only the targets are built again', async () => {
  const random = 'cat /proc/sys/kernel/random/uuid'
  const writes = (name: string, script: string) =>
    recipe(
      name,
      'style: plain',
      step('mkdir -p $OUT/usr/share', `${script} > $OUT/usr/share/${name}`),
    ).replace('style:', `${IN.replace(']', name === 'below' ? ']' : ', product/below]')}\nstyle:`)
  const toy = await makeToy({
    'layers/bootstrap/tools/recipe.yaml': TOOLS_RECIPE,
    'layers/product/below/recipe.yaml': writes('below', random),
    'layers/product/steady/recipe.yaml': writes('steady', 'cat /usr/share/below'),
    'layers/product/shaky/recipe.yaml': writes('shaky', random),
  })
  // The layers of a person whose home is closed to others.
  await chmod(toy.folder, 0o700)
  const second = await elsewhere()
  const verify = (...words: string[]) => toy.run('verify', ...words, '--second', second)

  const steady = await verify('steady', '--alone')
  expect(steady.code, steady.stderr).toBe(0)
  expect(steady.stdout).toContain('identical: 1 artifact,')
  if (process.getuid?.() === 0) expect(steady.stdout).toContain('user (others may not read')
  expect(existsSync(second)).toBe(false)

  const shaky = await verify('shaky', '--alone')
  expect(shaky.code, shaky.stderr).toBe(5)
  expect(shaky.stderr).toContain('Two builds differ in 1 of 1 artifacts')
  // Not even the host layers' tools.
  expect(shaky.stderr.match(/^built \S+/gm)).toEqual(Array(2).fill('built product/shaky'))

  // What that left there counts for no build of everything.
  const whole = await verify('steady')
  expect(whole.code, whole.stderr).toBe(5)
  expect(whole.stderr).toContain('product/below: "usr/share/below"')
})

test('with --alone, missing inputs of a target are built', async () => {
  const toy = await makeToy({
    'layers/bootstrap/tools/recipe.yaml': TOOLS_RECIPE,
    'layers/product/plain/recipe.yaml': makes('plain', 'plain', IN),
  })
  const { stdout: built } = await toy.run('build', 'plain', 'tools')
  const digest = /^bootstrap\/tools ([0-9a-f]{64})$/m.exec(built)?.[1] ?? ''
  await rm(join(toy.store, 'blobs', digest.slice(0, 2), digest))
  const { code, stderr } = await toy.run(
    'verify',
    'plain',
    '--alone',
    '--second',
    await elsewhere(),
  )
  expect(code, stderr).toBe(0)
  expect(stderr).toContain('built bootstrap/tools')
})

describe('a recipe that lets in', () => {
  const ADD = '>> $OUT/usr/share/planted'

  // A tmpfs lists a folder in the order in which it was filled.
  test.skipIf(!existsSync('/dev/shm'))('the order of names in a folder is found', async () => {
    const { code, stdout, stderr } = await verified(
      `find /usr/bin ${ADD}`,
      await sharedFolder('/dev/shm'),
    )
    expect(code, stderr).toBe(5)
    expect(stderr).toContain('product/planted: "usr/share/planted"')
    expect(sameIn(stdout)).toContain('file system')
    expect(sameIn(stdout)).not.toContain('order of making files')
  })

  test.skipIf(availableParallelism() < 2)('the number of processors is found', async () => {
    const script = `sed -n '/Cpus_allowed_list/p' /proc/self/status ${ADD}`
    const { code, stdout, stderr } = await verified(script, await sharedFolder(tmpdir()))
    expect(code, stderr).toBe(5)
    expect(stderr).toContain('product/planted: "usr/share/planted"')
    expect(sameIn(stdout)).not.toContain('processors')
  })
})

test('limits of the caller, and a default ACL of the store, leave no mark', async () => {
  const script =
    '{ ulimit -n; ulimit -s; ulimit -c; } >> $OUT/usr/share/planted; mkdir $OUT/usr/share/made'
  const { code, stdout, stderr } = await verified(script, await sharedFolder(tmpdir()))
  expect(code, stderr).toBe(0)
  expect(jsonLines(stdout).at(-1)).toMatchObject({ type: 'verified', same: 3 })
})

test("what is in the second build's place is left alone when it is not a folder of the user's own", async () => {
  const toy = await makeToy({
    'layers/bootstrap/tools/recipe.yaml': TOOLS_RECIPE,
    'layers/product/plain/recipe.yaml': makes('plain', 'plain', IN),
    'precious/store': 'of someone',
  })
  const second = await elsewhere()
  await symlink(join(toy.folder, 'precious'), second)
  const { code, stderr } = await toy.run('verify', 'plain', '--second', second)
  expect(stderr).toContain(`Cannot build in "${second}": it is not a folder of this user's`)
  expect(code).toBe(2)
  expect(await readFile(join(toy.folder, 'precious/store'), 'utf8')).toBe('of someone')
})

test.each(['store', 'mirror'])(
  'a folder that holds %s of someone is refused, and left alone',
  async (name) => {
    const toy = await makeToy({
      'layers/bootstrap/tools/recipe.yaml': TOOLS_RECIPE,
      'layers/product/plain/recipe.yaml': makes('plain', 'plain', IN),
      [`precious/${name}/file`]: 'of someone',
    })
    const { code, stderr } = await toy.run(
      'verify',
      'plain',
      '--second',
      join(toy.folder, 'precious'),
    )
    expect(stderr).toContain(
      `Cannot build in "${toy.folder}/precious": it holds things that are not of such a build`,
    )
    expect(code).toBe(2)
    expect(await readFile(join(toy.folder, 'precious', name, 'file'), 'utf8')).toBe('of someone')
  },
)

test('the store of the first build is not taken for that of the second', async () => {
  const toy = await makeToy({
    'layers/bootstrap/tools/recipe.yaml': TOOLS_RECIPE,
    'layers/product/plain/recipe.yaml': makes('plain', 'plain', IN),
  })
  const second = await elsewhere()
  // As an earlier second build leaves it when it fails.
  await mkdir(second)
  await writeFile(join(second, 'FIXPOINT-FOLDER'), 'second build')
  const globals = [
    '--layers',
    join(toy.folder, 'layers/layers.yaml'),
    '--store',
    join(second, 'store'),
  ]
  const { code, stderr } = await toy.runWith({ globals }, 'verify', 'plain', '--second', second)
  expect(stderr).toContain('it holds the first store')
  expect(code).toBe(2)
})

test('a second folder may be named relative to the working folder, and is gone in the end', async () => {
  const toy = await makeToy({
    'layers/bootstrap/tools/recipe.yaml': TOOLS_RECIPE,
    'layers/product/plain/recipe.yaml': makes('plain', 'plain', IN),
  })
  await chmod(toy.folder, 0o755)
  const { code, stderr } = await toy.run('verify', 'plain', '--second', 'again')
  expect(code, stderr).toBe(0)
  expect(await readdir(toy.folder)).not.toContain('again')
})

test('sources that the first build did not need any more are fetched for the second', async () => {
  const digest = digestOf('source\n')
  const toy = await makeToy({
    'source.txt': 'source\n',
    'layers/bootstrap/tools/recipe.yaml': TOOLS_RECIPE,
    'layers/product/sourced/recipe.yaml': makes(
      'sourced',
      'sourced',
      `sources: [{ sha256: ${digest}, from: ['file:../../../source.txt'], unpack: false }]`,
      IN,
    ),
  })
  await chmod(toy.folder, 0o755)
  expect((await toy.run('build', 'sourced')).code).toBe(0)
  await rm(join(toy.store, 'blobs', digest.slice(0, 2), digest))
  const { code, stderr } = await toy.run('verify', 'sourced', '--second', await elsewhere())
  expect(code, stderr).toBe(0)
})

test('two at once do not use the same folder', async () => {
  const toy = await makeToy({
    'layers/bootstrap/tools/recipe.yaml': TOOLS_RECIPE,
    'layers/product/plain/recipe.yaml': makes('plain', 'plain', IN),
  })
  await chmod(toy.folder, 0o755)
  const second = await elsewhere()
  await mkdir(second)
  await markFolder(second, 'second build')
  const lock = await lockFolder(second)
  const refused = await toy.run('verify', 'plain', '--second', second)
  expect(refused.code).toBe(2)
  expect(refused.stderr).toContain(
    `Cannot build a second time in "${second}": another verify is at work there`,
  )
  await lock?.release()
  const { code, stderr } = await toy.run('verify', 'plain', '--second', second)
  expect(code, stderr).toBe(0)
  expect(existsSync(second)).toBe(false)
})
