import { execFileSync } from 'node:child_process'
import { stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { bootSession } from '../../qemu/boot.ts'
import { digestOfFile } from '../../src/base/digest.ts'
import { blankDisk, type } from '../support/guest.ts'
import { storedImage } from '../support/image.ts'
import { temporaryFolder } from '../support/temporary.ts'

const image = (await storedImage('appliance')) ?? ''

const GIB = 2 ** 30
const MINUTES = 60_000

it(
  'keeps data behind itself on a larger disk, and never writes to itself',
  async () => {
    const large = join(await temporaryFolder(), 'large.img')
    execFileSync('cp', ['--sparse=always', '--reflink=auto', image, large])
    const { size } = await stat(large)
    await truncate(large, size + 2 * GIB)
    const before = await digestOfFile(image)
    const boot = async () => {
      const machine = await bootSession({ image: large, writable: true })
      await machine.expect('# ')
      return machine
    }
    const first = await boot()
    try {
      expect((await type(first, 'cat /run/issue')).text).toMatch(/data {2,}behind the image on its disk, \d+ MiB free/)
      expect(await type(first, 'echo kept > /data/note; sync')).toMatchObject({ good: true })
    } finally {
      // As when the power goes.
      await first.kill()
    }
    const second = await boot()
    try {
      expect((await type(second, 'cat /data/note')).text).toContain('kept')
      second.type('poweroff\n')
      await second.off()
    } finally {
      await second.kill()
    }
    execFileSync('truncate', ['-s', String(size), large])
    expect(await digestOfFile(large)).toBe(before)
  },
  10 * MINUTES,
)

it(
  'builds recipes again from what is installed, to the same bytes',
  async () => {
    const disks = [{ file: await blankDisk(8 * GIB), bus: 'virtio' as const, writable: true }]
    const machine = await bootSession({ image, memory: '4G', disks })
    try {
      await machine.expect('# ')
      expect((await type(machine, 'data create vdb')).text).toMatch(/data {2,}disk \/dev\/vdb, \d+ MiB free/)
      // m4's configure asks a great deal about the system that it runs on.
      const said = await type(machine, 'fixpoint rebuild --only zlib,bzip2,m4', { timeoutMs: 40 * MINUTES })
      expect(said.good, said.text).toBe(true)
      for (const name of ['zlib', 'bzip2', 'm4'])
        expect(said.text).toMatch(new RegExp(`base/${name} [0-9a-f]{64}: identical`))
      expect(said.text).toMatch(/run: 3\n/)
    } finally {
      await machine.kill()
    }
  },
  45 * MINUTES,
)
