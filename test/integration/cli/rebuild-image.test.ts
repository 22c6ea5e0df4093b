import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { receiptLine } from '../../../src/report/receipts/receipt.ts'
import { commandLine, onSmallDisk, type How } from '../../support/cli.ts'
import { imageOf, rootWith } from '../../support/disk.ts'
import { receiptOf } from '../../support/receipts.ts'
import { temporaryFolder } from '../../support/temporary.ts'

const makeToy = commandLine()

/**
 * In the place of an image's busybox, which would make a root and run the image's engine there:
 * what that would leave, as seen from outside. The real one is run by test/appliance. Of everything
 * it fails the first time, and the second time says what the first left.
 */
const ENGINE = `
for word; do [ "$word" != --only ] || exit 0; done
while [ "\${1-image-root}" != image-root ]; do shift; done
[ $# -gt 0 ] || exit 0
data=$3
[ -e "$data/begun" ] || { touch "$data/begun"; exit 1; }
printf 'went on\\033[2J\\n'
printf 'err\\303\\274r\\a\\n' >&2
mkdir -p "$data/out"
head -c 2000000 /dev/zero > "$data/out/toy.img"
echo '{}' > "$data/out/toy.json"`

async function toyImage() {
  const { image } = await imageOf({ root: await rootWith(ENGINE), mirror: await temporaryFolder() })
  const toy = await makeToy()
  const globals = ['--store', toy.store]
  const rebuild = (words: readonly string[] = [], how: How = {}) =>
    toy.runWith({ ...how, globals }, 'rebuild', '--image', image, ...words)
  return { ...toy, rebuild }
}

test('interrupted it goes on, though single recipes were rebuilt meanwhile', async () => {
  const { rebuild, folder } = await toyImage()
  expect((await rebuild()).code).toBe(1)
  expect(await rebuild(['--only', 'zlib'])).toMatchObject({ code: 0 })
  const out = join(folder, 'out')
  const { code, stdout, stderr } = await rebuild(['--output', out])
  expect(code, stderr).toBe(0)
  expect(stdout).toBe('went on\\x1b[2J\n')
  expect(stderr).toContain('errür\\x07\n')
  expect(await readFile(join(out, 'toy.json'), 'utf8')).toBe('{}\n')
  expect((await readFile(join(out, 'toy.img'))).length).toBe(2_000_000)
})

test('its lock is made through no link', async () => {
  const { rebuild, folder, store } = await toyImage()
  await symlink(join(folder, 'victim'), `${store}-image.lock`)
  expect(await rebuild()).toMatchObject({ code: 6 })
  expect(await readdir(folder)).not.toContain('victim')
})

test('an output folder on a disk that is too full is refused before anything is built', async () => {
  const { rebuild, folder } = await toyImage()
  const out = join(folder, 'small')
  await mkdir(out)
  // What is left of this disk is less than the few KiB of the image.
  const wrap = [
    ...onSmallDisk(out, 1),
    'sh',
    '-c',
    'head -c 1045000 /dev/zero > "$0/full"; "$@"',
    out,
  ]
  const { code, stderr } = await rebuild(['--output', out], { wrap })
  expect(stderr).toMatch(
    /Cannot put an image of \d+ bytes into ".*small": the disk is too full\nhint: Name another folder/,
  )
  expect(code).toBe(6)
})

test('what is in the way of the image is named, and where the image lies', async () => {
  const { rebuild, folder, store } = await toyImage()
  const out = join(folder, 'out')
  await mkdir(join(out, 'toy.img'), { recursive: true })
  expect((await rebuild()).code).toBe(1)
  const { code, stderr } = await rebuild(['--output', out])
  expect(stderr).toContain(`Cannot write "${out}/toy.img": a folder is in the way`)
  expect(stderr).toContain(`it is kept in "${store}-image/data/out"`)
  expect(code).toBe(6)
})

test('a folder beside the store that is not of a rebuild is refused, and left alone', async () => {
  const { rebuild, store } = await toyImage()
  await mkdir(`${store}-image`)
  await writeFile(join(`${store}-image`, 'holiday.jpg'), 'of someone')
  const { code, stderr } = await rebuild()
  expect(stderr).toContain(
    `Cannot build in "${store}-image": it holds things that are not of such a build`,
  )
  expect(code).toBe(2)
  expect(await readFile(join(`${store}-image`, 'holiday.jpg'), 'utf8')).toBe('of someone')
})

/** An image whose engine leaves `receipts` of a rebuild, as shell makes them in that folder. */
async function imageWithReceipts(make: string) {
  const engine = `
while [ "\${1-image-root}" != image-root ]; do shift; done
[ $# -gt 0 ] || exit 0
cd "$3"
${make}`
  const { image } = await imageOf({ root: await rootWith(engine), mirror: await temporaryFolder() })
  const toy = await makeToy()
  const globals = ['--store', toy.store]
  const words = ['rebuild', '--image', image, '--receipts', join(toy.folder, 'receipts')]
  return { ...toy, rebuild: () => toy.runWith({ globals }, ...words) }
}

test('receipts of the engine in the image are brought out, and each is there once', async () => {
  const line = receiptLine(receiptOf('base/zlib'))
  const { rebuild, folder } = await imageWithReceipts(
    `mkdir receipts && echo '${line}' | tee receipts/1.intoto.jsonl > receipts/2.intoto.jsonl`,
  )
  expect(await rebuild()).toMatchObject({ code: 0 })
  const [name = '', ...others] = await readdir(join(folder, 'receipts'))
  expect(others).toEqual([])
  expect(await readFile(join(folder, 'receipts', name), 'utf8')).toBe(`${line}\n`)
})

test('an engine that ran nothing leaves none', async () => {
  const { rebuild, folder } = await imageWithReceipts('true')
  expect(await rebuild()).toMatchObject({ code: 0 })
  expect(await readdir(folder)).not.toContain('receipts')
})

test.each([
  ['a folder elsewhere', 'ln -s /etc receipts', 1],
  ['a link', 'mkdir receipts; ln -s /etc/passwd receipts/x.intoto.jsonl', 2],
  ['a fifo', 'mkdir receipts; mkfifo receipts/x.intoto.jsonl', 2],
  ['other text', 'mkdir receipts; echo text > receipts/x.intoto.jsonl', 4],
])('receipts that are %s are refused', async (_, make, code) => {
  const { rebuild, folder } = await imageWithReceipts(make)
  expect(await rebuild()).toMatchObject({ code })
  expect(await readdir(folder)).not.toContain('receipts')
})
