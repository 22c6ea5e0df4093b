import { execFileSync } from 'node:child_process'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { atPrompt, type, withData } from '../support/guest.ts'
import { mirroredSource, storedImage } from '../support/image.ts'
import { temporaryFolder } from '../support/temporary.ts'

const image = (await storedImage('appliance')) ?? ''

const MINUTES = 60_000

describe('the appliance on a bad day', () => {
  it(
    'names a source with a flipped byte, and builds nothing from it',
    async () => {
      await withData({ image: await withFlippedByte('zlib') }, async (machine) => {
        const { good, text } = await type(machine, 'fixpoint rebuild --only zlib', {
          timeoutMs: 20 * MINUTES,
        })
        expect(good, text).toBe(false)
        expect(text).toMatch(/failed base\/zlib: Cannot fetch/)
        expect(text).toMatch(
          /Cannot fetch "zlib\S+": sha256 is [0-9a-f]{64}, recipe wants [0-9a-f]{64}/,
        )
        expect(text).toContain('/mirror/zlib')
        expect(text).not.toMatch(/built base\/zlib/)
        expect(
          (await type(machine, 'cd /mirror; sha256sum -c SHA256SUMS | grep -v OK')).text,
        ).toMatch(/zlib\S+: FAILED/)
      })
    },
    30 * MINUTES,
  )

  it('says that it does not compile when its clock is set to 1970 as it runs', async () => {
    await atPrompt({ image, memory: '4G' }, async (machine) => {
      const { good, text } = await type(machine, 'date -u -s @10; fixpoint rebuild --only zlib')
      expect(good, text).toBe(false)
      expect(text).toContain(
        "Cannot build here: this machine's clock says 1970-01-01, sources are of 2000-01-01",
      )
    })
  })

  // A clock that is before the image's own date is set to that as the machine starts.
  it.each([
    ['1970-01-01T00:00:10', '2000'],
    ['2050-06-01T12:00:00', '2050'],
  ])(
    'compiles to the same bytes when the machine is switched on with its clock at %s',
    async (clock, year) => {
      await withData({ image, clock }, async (machine) => {
        expect((await type(machine, 'date +%Y')).text).toContain(`\n${year}\n`)
        const { good, text } = await type(machine, 'fixpoint rebuild --only zlib', {
          timeoutMs: 20 * MINUTES,
        })
        expect(good, text).toBe(true)
        expect(text).toMatch(/base\/zlib [0-9a-f]{64}: identical\n/)
        expect(text).toMatch(/run: 1\n/)
      })
    },
    30 * MINUTES,
  )
})

/** A copy of the image with another byte in the middle of a source in its mirror. */
async function withFlippedByte(name: string): Promise<string> {
  const copy = join(await temporaryFolder(), 'flipped.img')
  execFileSync('cp', ['--sparse=always', '--reflink=auto', image, copy])
  const { bytes, partition } = await mirroredSource(copy, name)
  // Sources are not compressed there: they are in the partition as they are.
  const middle = bytes.subarray(bytes.length >> 1, (bytes.length >> 1) + 64)
  const at = (await readFile(copy)).indexOf(middle, partition)
  expect(at).toBeGreaterThan(partition)
  const handle = await open(copy, 'r+')
  await handle.write(Buffer.from([middle[0]! ^ 1]), 0, 1, at)
  await handle.close()
  return copy
}
