import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Discards } from '../../../src/build/background-removal.ts'
import { temporaryFolder } from '../../support/temporary.ts'

it('frees the name of a folder at once, and has removed all that it took when it is settled', async () => {
  const place = await temporaryFolder()
  const discards = new Discards()
  for (const content of ['one', 'two']) {
    await mkdir(join(place, 'work/sub'), { recursive: true })
    await writeFile(join(place, 'work/sub/file'), content)
    await discards.take(join(place, 'work'))
    expect(await readdir(place)).not.toContain('work')
  }
  await discards.settled()
  expect(await readdir(place)).toEqual([])
})

it('takes what is not there for removed, so that it hides no failure', async () => {
  const discards = new Discards()
  await discards.take(join(await temporaryFolder(), 'never made'))
  await discards.settled()
})
