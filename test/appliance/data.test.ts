import { execFileSync } from 'node:child_process'
import { open, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { digestOfFile } from '../../src/base/digest.ts'
import { atPrompt, blankDisk, dataDisk, type } from '../support/guest.ts'
import { storedImage } from '../support/image.ts'
import { temporaryFolder } from '../support/temporary.ts'

const image = (await storedImage('appliance')) ?? ''

const [MIB, GIB] = [2 ** 20, 2 ** 30]

describe('data of the appliance', () => {
  it.each(['bios', 'uefi'] as const)(
    'are kept behind the image on a larger disk, and the image is never written to (%s)',
    async (firmware) => {
      const large = join(await temporaryFolder(), 'large.img')
      execFileSync('cp', ['--sparse=always', '--reflink=auto', image, large])
      const { size } = await stat(large)
      await truncate(large, size + 2 * GIB)
      const before = await digestOfFile(image)
      await atPrompt({ image: large, firmware, writable: true }, async (machine) => {
        expect((await type(machine, 'cat /run/issue')).text).toMatch(
          /data {2,}behind the image on its disk, \d+ MiB free/,
        )
        // The plug is pulled right after.
        expect(await type(machine, 'echo kept > /data/note; sync')).toMatchObject({ good: true })
      })
      await atPrompt({ image: large, firmware, writable: true }, async (machine) => {
        expect((await type(machine, 'cat /data/note')).text).toContain('kept')
        machine.type('poweroff\n')
        await machine.off()
      })
      await truncate(large, size)
      expect(await digestOfFile(large)).toBe(before)
    },
  )

  it('are kept on a second disk; a full, a missing and a damaged one are named', async () => {
    const file = await blankDisk(300 * MIB)
    const withDisk = { image, memory: '2G', disks: [await dataDisk(file)] }
    await atPrompt(withDisk, async (machine) => {
      expect((await type(machine, 'data create vdb')).text).toMatch(
        /data {2,}disk \/dev\/vdb, \d+ MiB free/,
      )
      const full = await type(machine, 'cd /data; fixpoint build tiny', { timeoutMs: 600_000 })
      expect(full.good, full.text).toBe(false)
      expect(full.text).toMatch(/error: .*(disk is full|No space left on device|is full)/)
      expect(await type(machine, 'rm -rf /data/store; echo kept > /data/note; sync')).toMatchObject(
        { good: true },
      )
    })
    await atPrompt({ image }, async (machine) => {
      expect((await type(machine, 'cat /run/issue')).text).toMatch(
        /data {2,}in memory, \d+ MiB, lost when the power goes/,
      )
      expect((await type(machine, 'cat /data/note')).good).toBe(false)
    })
    // The group descriptors, for blocks of 1 KiB and of 4; the superblock in front still says what
    // it is.
    const disk = await open(file, 'r+')
    await disk.write(Buffer.alloc(6144, 0xa5), 0, 6144, 2048)
    await disk.close()
    await atPrompt(withDisk, async (machine) => {
      const { text } = await type(machine, 'cat /run/issue')
      expect(text).toMatch(/data {2,}disk \/dev\/vdb is damaged: `e2fsck -f \/dev\/vdb` repairs it/)
      expect(text).toMatch(/data {2,}in memory/)
      const repaired = await type(machine, 'cd /; e2fsck -fy /dev/vdb; umount /data; data start', {
        timeoutMs: 120_000,
      })
      expect(repaired.text).toMatch(/data {2,}disk \/dev\/vdb, \d+ MiB free/)
    })
    // All that stands in front: nothing there says what the disk is, but a copy further on does.
    const again = await open(file, 'r+')
    await again.write(Buffer.alloc(4096), 0, 4096, 0)
    await again.close()
    await atPrompt(withDisk, async (machine) => {
      const { text } = await type(machine, 'cat /run/issue')
      expect(text).toMatch(
        /data {2,}disk \/dev\/vdb was made for data, and its beginning is damaged or was written over/,
      )
      expect(text).toMatch(/data {2,}in memory/)
      const asked = await type(machine, 'echo no | data create vdb')
      expect(asked.text).toContain('/dev/vdb holds something')
      const repaired = await type(machine, 'e2fsck -fy /dev/vdb; umount /data; data start', {
        timeoutMs: 120_000,
      })
      expect(repaired.text).toMatch(/data {2,}disk \/dev\/vdb, \d+ MiB free/)
    })
  })
})
