import { existsSync } from 'node:fs'
import { appendFile, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import { commandLine, recipe, step, type Toy } from '../../support/cli.ts'
import { tarOf } from '../../support/tars.ts'
import { temporaryFolder } from '../../support/temporary.ts'

const makeToy = commandLine()

const TARBALL = tarOf([
  { path: 'hello-1.0/main.c', data: 'one\ntwo\nthree\n' },
  { path: 'hello-1.0/deep/other.c', data: 'x\n' },
])
const OLD_PATCH = '--- a/main.c\n+++ b/main.c\n@@ -1,3 +1,3 @@\n-one\n+ONE\n two\n three\n'

/** A package of a tarball, with a patch. */
const HELLO = {
  'hello-1.0.tar': TARBALL,
  'layers/bootstrap/hello/recipe.yaml': recipe(
    'hello',
    `sources: [{ sha256: ${digestOf(TARBALL)}, from: ['file:../../../hello-1.0.tar'] }]`,
    'style: plain',
    step('cp main.c deep/other.c "$OUT"'),
  ),
  'layers/bootstrap/hello/patches/01-big.patch': OLD_PATCH,
}

const PATCHES = 'layers/bootstrap/hello/patches'

const AUTHOR = ['-c', 'user.name=me', '-c', 'user.email=me@localhost']

/** A toy with a tree for editing in `hello`, and git in that. */
async function edited(): Promise<{
  toy: Toy
  tree: string
  git: (...words: string[]) => Promise<string>
}> {
  const toy = await makeToy(HELLO)
  const { code, stderr } = await toy.run('edit', 'hello')
  expect(code, stderr).toBe(0)
  const tree = join(toy.folder, 'hello')
  const git = async (...words: string[]): Promise<string> =>
    (await execa('git', [...AUTHOR, '-C', tree, ...words])).stdout
  return { toy, tree, git }
}

async function refused({ run }: Toy, reason: string, ...words: string[]): Promise<void> {
  const { code, stderr } = await run(...words)
  expect(code).not.toBe(0)
  expect(stderr).toContain(reason)
}

describe('edit and patch', () => {
  test('make commits patches with their description, and the build applies them', async () => {
    const { toy, tree, git } = await edited()
    expect(await git('log', '--format=%s', '--reverse')).toBe(
      'The sources of bootstrap/hello\n01-big.patch',
    )
    await appendFile(join(tree, 'main.c'), 'four\n')
    await git('commit', '-qam', 'Count to four\n\nThree was not enough.')
    await writeFile(join(tree, 'new.c'), 'new\n')
    await git('add', 'new.c')
    await git('commit', '-qm', 'Add a file: new.c')
    const { code, stdout, stderr } = await toy.run('patch', 'hello')
    expect(code, stderr).toBe(0)
    expect(stdout).toContain('02-count-to-four.patch')
    const folder = join(toy.folder, PATCHES)
    expect((await readdir(folder)).sort()).toEqual([
      '01-big.patch',
      '02-count-to-four.patch',
      '03-add-a-file-new-c.patch',
    ])
    expect(await readFile(join(folder, '02-count-to-four.patch'), 'utf8')).toMatch(
      /^Count to four\n\nThree was not enough\.\n\ndiff --git a\/main\.c b\/main\.c\n/,
    )
    const built = await toy.run('build', 'hello')
    expect(built.code, built.stderr).toBe(0)
    const again = await toy.run('patch', 'hello')
    expect(again.stdout).toContain('there is no commit that is not a patch already')
  })

  test('an amendment in the layer that is named gets them', async () => {
    const { toy, tree, git } = await edited()
    await appendFile(join(tree, 'main.c'), 'four\n')
    await git('commit', '-qam', 'four')
    const { code, stderr } = await toy.run('patch', 'hello', '--layer', 'product')
    expect(code, stderr).toBe(0)
    const folder = join(toy.folder, 'layers/product/hello')
    expect(await readFile(join(folder, 'amend.yaml'), 'utf8')).toBe('amends: bootstrap/hello\n')
    expect(await readdir(join(folder, 'patches'))).toEqual(['0001-four.patch'])
    expect((await toy.run('build', 'hello')).code).toBe(0)
  })

  test('a recipe without GNU patch gets it among its inputs', async () => {
    const toy = await makeToy({
      'hello-1.0.tar': TARBALL,
      'layers/product/hi/recipe.yaml': [
        'name: hi',
        "version: '1'",
        'summary: a toy',
        'license: MIT',
        `sources: [{ sha256: ${digestOf(TARBALL)}, from: ['file:../../../hello-1.0.tar'] }]`,
        'inputs: [bootstrap/alpha]',
        'style: plain',
        step('cp main.c "$OUT"'),
      ].join('\n'),
      'layers/toolchain/patch/recipe.yaml': recipe('patch', 'style: plain', step('touch $OUT/x')),
    })
    const layers = join(toy.folder, 'layers/layers.yaml')
    const text = await readFile(layers, 'utf8')
    await writeFile(layers, text.replace('product', 'toolchain, product'))
    const file = join(toy.folder, 'layers/product/hi/recipe.yaml')
    const before = await readFile(file, 'utf8')
    // Its sandbox holds no shell, so `edit` cannot unpack there: the tree is made by hand.
    await toy.write({ 'hi/main.c': 'one\n' })
    const git = async (...words: string[]): Promise<string> =>
      (await execa('git', [...AUTHOR, '-C', join(toy.folder, 'hi'), ...words])).stdout
    await git('init', '-q')
    await git('add', 'main.c')
    await git('commit', '-qm', 'sources')
    await git('config', 'fixpoint.recipe', 'product/hi')
    await git('config', 'fixpoint.patches', '')
    await git('config', 'fixpoint.base', await git('rev-parse', 'HEAD'))
    await appendFile(join(toy.folder, 'hi/main.c'), 'two\n')
    await git('commit', '-qam', 'two')
    const { code, stdout, stderr } = await toy.run('patch', 'hi')
    expect(code, stderr).toBe(0)
    expect(stdout).toContain(`${file}: toolchain/patch added to the inputs\n`)
    const inputs = 'inputs: [bootstrap/alpha, toolchain/patch]'
    expect(await readFile(file, 'utf8')).toBe(before.replace('inputs: [bootstrap/alpha]', inputs))
  })

  test('go on after one that was killed when its patches were written', async () => {
    const { toy, tree, git } = await edited()
    const settings = ['fixpoint.base', 'fixpoint.patches']
    const before = await Promise.all(settings.map((name) => git('config', name)))
    await appendFile(join(tree, 'main.c'), 'four\n')
    await git('commit', '-qam', 'four')
    expect((await toy.run('patch', 'hello')).code).toBe(0)
    for (const [index, name] of settings.entries()) await git('config', name, before[index] ?? '')
    const { stdout, stderr } = await toy.run('patch', 'hello')
    expect(stdout, stderr).toContain('there is no commit that is not a patch already')
    await appendFile(join(tree, 'main.c'), 'five\n')
    await git('commit', '-qam', 'five')
    expect((await toy.run('patch', 'hello')).stdout).toContain('03-five.patch')
    expect(await readdir(join(toy.folder, PATCHES))).toHaveLength(3)
    await toy.write({ [`${PATCHES}/01-big.patch`]: OLD_PATCH.replace('+ONE', '+One') })
    await refused(toy, 'have changed since it was made', 'patch', 'hello')
  })

  test('go on after one that was killed between two patches', async () => {
    const { toy, tree, git } = await edited()
    const settings = ['fixpoint.base', 'fixpoint.patches']
    const before = await Promise.all(settings.map((name) => git('config', name)))
    for (const word of ['four', 'five', 'six']) {
      await appendFile(join(tree, 'main.c'), `${word}\n`)
      await git('commit', '-qam', word)
    }
    expect((await toy.run('patch', 'hello')).code).toBe(0)
    const written = await readdir(join(toy.folder, PATCHES))
    expect(written).toHaveLength(4)
    for (const [index, name] of settings.entries()) await git('config', name, before[index] ?? '')
    for (const name of ['03-five.patch', '04-six.patch']) await rm(join(toy.folder, PATCHES, name))
    const { code, stderr } = await toy.run('patch', 'hello')
    expect(code, stderr).toBe(0)
    expect(await readdir(join(toy.folder, PATCHES))).toEqual(written)
    expect((await toy.run('build', 'hello')).code).toBe(0)
  })

  test('bytes that are no UTF-8 stay as they are', async () => {
    const { toy, tree, git } = await edited()
    const bytes = Buffer.from('caf\xe9\n', 'latin1')
    await appendFile(join(tree, 'main.c'), bytes)
    await git('commit', '-qam', 'A word in Latin-1')
    expect((await toy.run('patch', 'hello')).code).toBe(0)
    const patch = await readFile(join(toy.folder, PATCHES, '02-a-word-in-latin-1.patch'))
    expect(patch.includes(bytes)).toBe(true)
    expect((await toy.run('build', 'hello')).code).toBe(0)
  })

  test('names that are no UTF-8 can be edited', async () => {
    const tars = await temporaryFolder()
    await execa(
      'sh',
      ['-c', 'mkdir odd-1.0; echo x > "odd-1.0/$(printf "caf\\351")"; tar cf odd-1.0.tar odd-1.0'],
      { cwd: tars },
    )
    const data = await readFile(join(tars, 'odd-1.0.tar'))
    const toy = await makeToy({
      'odd-1.0.tar': data,
      'layers/bootstrap/odd/recipe.yaml': recipe(
        'odd',
        `sources: [{ sha256: ${digestOf(data)}, from: ['file:../../../odd-1.0.tar'] }]`,
        'style: plain',
        step('touch "$OUT/x"'),
      ),
    })
    const { code, stderr } = await toy.run('edit', 'odd')
    expect(code, stderr).toBe(0)
    const names = await readdir(join(toy.folder, 'odd'), { encoding: 'buffer' })
    expect(names.map((name) => name.toString('latin1'))).toContain('caf\xe9')
  })

  test('sources that have changed since the tree was made are noticed', async () => {
    const { toy, tree, git } = await edited()
    await appendFile(join(tree, 'main.c'), 'four\n')
    await git('commit', '-qam', 'four')
    const next = tarOf([{ path: 'hello-1.0/main.c', data: 'other\n' }])
    const file = 'layers/bootstrap/hello/recipe.yaml'
    const text = HELLO[file].replace(digestOf(TARBALL), digestOf(next))
    await toy.write({ 'hello-1.0.tar': next, [file]: text })
    await refused(
      toy,
      'the sources of bootstrap/hello have changed since it was made',
      'patch',
      'hello',
    )
  })

  test('a message that the build would take for a part of the patch is to be reworded', async () => {
    const { toy, tree, git } = await edited()
    await appendFile(join(tree, 'main.c'), 'four\n')
    await git('commit', '-qam', 'four\n\n@@ -0,0 +1 @@')
    await refused(toy, 'hint: Reword the message of the commit', 'patch', 'hello')
  })

  test('a patch that does not apply is named, with what to do', async () => {
    const toy = await makeToy({
      ...HELLO,
      [`${PATCHES}/02-late.patch`]: OLD_PATCH,
    })
    const { code, stderr } = await toy.run('edit', 'hello')
    expect(code).not.toBe(0)
    expect(stderr).toContain('Cannot edit bootstrap/hello: its patch "02-late.patch" does not')
    expect(stderr).toContain('apply: patch failed: main.c:1')
    expect(stderr).toContain('hint: Move it out of the layer and edit again')
    expect(existsSync(join(toy.folder, 'hello'))).toBe(false)
  })

  test('warn of files that no commit has', async () => {
    const { toy, tree, git } = await edited()
    await appendFile(join(tree, 'main.c'), 'four\n')
    await git('commit', '-qam', 'four')
    await writeFile(join(tree, 'forgotten.c'), '')
    const { code, stderr } = await toy.run('patch', 'hello')
    expect(code).toBe(0)
    expect(stderr).toContain('In no commit: 1 file, such as "forgotten.c"')
  })

  test('refuse what would lose something, and leave the layer as it was', async () => {
    const { toy, tree, git } = await edited()
    await refused(toy, 'something is there', 'edit', 'hello')
    await appendFile(join(tree, 'main.c'), 'four\n')
    await refused(toy, 'changes that no commit has, such as "main.c"', 'patch', 'hello')
    await git('commit', '-qam', 'four')
    await refused(toy, 'it is a tree of bootstrap/hello', 'patch', 'alpha', 'hello')
    await execa('git', ['init', '-q', join(toy.folder, 'other')])
    await refused(toy, 'was not made for editing', 'patch', 'hello', 'other')
    await writeFile(join(tree, 'picture'), '\0\x01\x02')
    await git('add', 'picture')
    await git('commit', '-qm', 'picture')
    await refused(toy, '"picture": it holds no text', 'patch', 'hello')
    await git('reset', '-q', '--hard', 'HEAD~1')
    await git('commit', '--amend', '-qm', 'four again')
    expect(await readdir(join(toy.folder, PATCHES))).toEqual(['01-big.patch'])
    await git('reset', '-q', '--hard', 'HEAD~2')
    await refused(toy, 'were changed', 'patch', 'hello')
    await toy.write({ [`${PATCHES}/02-more.patch`]: OLD_PATCH.replaceAll('ONE', 'Two') })
    await refused(toy, 'have changed since it was made', 'patch', 'hello')
    expect(await readdir(join(toy.folder, PATCHES))).toHaveLength(2)
  })

  test('go by no settings of the sources or of the user', async () => {
    const toy = await makeToy({
      ...HELLO,
      'home/.gitconfig': '[core]\n\tautocrlf = true\n[commit]\n\tgpgSign = true\n',
    })
    expect((await toy.run('edit', 'hello', 'tree')).code).toBe(0)
    expect(await readFile(join(toy.folder, 'tree/main.c'), 'utf8')).toBe('ONE\ntwo\nthree\n')
    const hostile = tarOf([
      { path: 'evil/.git/config', data: '[core]\n\tfsmonitor = touch /tmp/owned\n' },
      { path: 'evil/main.c', data: 'x\n' },
    ])
    await toy.write({
      'hello-1.0.tar': hostile,
      'layers/bootstrap/hello/recipe.yaml': HELLO['layers/bootstrap/hello/recipe.yaml'].replace(
        digestOf(TARBALL),
        digestOf(hostile),
      ),
    })
    await refused(toy, 'git would take for its own', 'edit', 'hello', 'evil')
    expect(existsSync(join(toy.folder, 'evil'))).toBe(false)
  })
})

describe('shell', () => {
  test('opens the tree as the steps find it', async () => {
    const { run } = await makeToy(HELLO)
    const { code, stdout, stderr } = await run(
      'shell',
      'hello',
      'sh',
      '-c',
      'cat main.c; ls /steps',
    )
    expect(code, stderr).toBe(0)
    expect(stdout).toBe('ONE\ntwo\nthree\nbuild\npatch\nunpack\n')
  })

  test('works in a tree of the user', async () => {
    const { toy, tree } = await edited()
    const { code, stderr } = await toy.run(
      ...['shell', '--tree', tree, 'hello', 'sh', '-c'],
      'sh -eu /steps/build; touch made; cat /out/main.c',
    )
    expect(code, stderr).toBe(0)
    expect(existsSync(join(tree, 'made'))).toBe(true)
  })
})
