import { execa } from 'execa'
import { chmod, chown, copyFile, mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readDisk } from '../../src/image/disk.ts'
import { readReceipts, receiptPaths } from '../../src/report/receipts/read.ts'
import { storedImage } from '../support/image.ts'
import { temporaryFolder } from '../support/temporary.ts'
import { CHECKOUT } from '../support/tree.ts'

const image = (await storedImage('appliance')) ?? ''

const MINUTES = 60_000

/** A user of this machine that owns nothing but its home. */
const ORDINARY = 54_321

/**
 * Runs `rebuild --image` with an empty store, as the user who runs this test or as an ordinary one.
 */
async function rebuild(
  file: string,
  user: number | undefined,
): Promise<{ exitCode?: number; all: string; receipts: string }> {
  const home = await temporaryFolder()
  if (user !== undefined) {
    await chmod(home, 0o755)
    await mkdir(join(home, 'own'))
    await chown(join(home, 'own'), user, user)
  }
  const main = join(CHECKOUT, 'dist/src/cli/main.js')
  const receipts = join(home, user === undefined ? '.' : 'own', 'receipts')
  const words = ['--image', file, '--only', 'zlib,bzip2', '--receipts', receipts]
  const { exitCode, all } = await execa(process.execPath, [main, 'rebuild', ...words], {
    cwd: '/',
    env: { PATH: process.env['PATH'], HOME: user === undefined ? home : join(home, 'own') },
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
    all: true,
    ...(user !== undefined && { uid: user, gid: user }),
  })
  return { ...(exitCode !== undefined && { exitCode }), all, receipts }
}

/** A copy of the image that anyone may read. */
async function copyOfImage(): Promise<string> {
  const file = join(await temporaryFolder(), 'image')
  await chmod(join(file, '..'), 0o755)
  await copyFile(image, file)
  await chmod(file, 0o644)
  return file
}

describe('fixpoint rebuild --image', () => {
  it.each(process.getuid?.() === 0 ? [undefined, ORDINARY] : [undefined])(
    'builds recipes again in the world of the image, without the right to mount (user %s)',
    async (user) => {
      const { exitCode, all, receipts } = await rebuild(await copyOfImage(), user)
      expect(exitCode, all).toBe(0)
      const [file = ''] = await receiptPaths([receipts])
      const written = (await readReceipts(file, { signers: [], at: 0 })).receipts
      expect(written.map(({ recipe }) => recipe).sort()).toEqual(['base/bzip2', 'base/zlib'])
      for (const { recipe, artifact } of written)
        expect(all).toContain(`${recipe} ${artifact}: identical`)
      for (const name of ['zlib', 'bzip2'])
        expect(all).toMatch(new RegExp(`base/${name} [0-9a-f]{64}: identical`))
      expect(all).toMatch(/run: 2\n/)
    },
    10 * MINUTES,
  )

  it(
    'does not begin in an image of which a byte was changed',
    async () => {
      const file = await copyOfImage()
      const root = (await readDisk(file)).partitions.find(({ name }) => name === 'root')!
      const handle = await open(file, 'r+')
      const [byte, offset] = [Buffer.alloc(1), root.start + Math.floor(root.size / 2)]
      await handle.read(byte, 0, 1, offset)
      byte[0] = 0xff ^ byte[0]!
      await handle.write(byte, 0, 1, offset)
      await handle.close()
      const { exitCode, all } = await rebuild(file, undefined)
      expect(all).toMatch(/Cannot (unpack partition "root"|use what is installed of \S+) /)
      expect(all).not.toMatch(/\bbuild base\//)
      expect(exitCode).toBe(4)
    },
    10 * MINUTES,
  )
})
