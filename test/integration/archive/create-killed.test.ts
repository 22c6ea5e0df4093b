import { once } from 'node:events'
import { spawn } from 'node:child_process'
import { watch } from 'node:fs'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { checkKit } from '../../../src/archive/kit/check.ts'
import { makeToyKit, toyContents } from '../../support/kits.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { CHECKOUT } from '../../support/tree.ts'

/** Makes a kit in a process of its own: CONTENTS.json STORE FOLDER. */
const MAKE = `
const { readFile } = await import('node:fs/promises')
const at = (path) => import(process.argv[1] + '/dist/src/' + path)
const { createKit } = await at('archive/kit/create.js')
const { readTexts } = await at('archive/kit/texts.js')
const { Store } = await at('store/store.js')
const [checkout, contents, folder, target] = process.argv.slice(1)
const store = await Store.open(folder, { emit: () => {}, now: () => performance.now() })
const texts = await readTexts(checkout)
const signal = new AbortController().signal
await createKit(JSON.parse(await readFile(contents)), { target, texts, store, parity: 10, signal })
await store.session.close()
`

it.each([1, 3, 6, 10, 15, 21, 28, 36, 45, 55])(
  'a run that is killed at change %d leaves a whole kit or none; the next one makes it',
  async (change) => {
    const parent = await temporaryFolder()
    const contents = await toyContents()
    const list = join(await temporaryFolder(), 'contents.json')
    await writeFile(list, JSON.stringify(contents))
    const kit = join(parent, 'kit')
    const args = ['--input-type=module', '-e', MAKE, CHECKOUT, list, await temporaryFolder(), kit]
    let changes = 0
    const watcher = watch(parent, { recursive: true }, () => {
      if (++changes === change) child.kill('SIGKILL')
    })
    const child = spawn(process.execPath, args, { stdio: 'ignore' })
    const [code] = (await once(child, 'close')) as [number | null]
    watcher.close()
    expect([0, null]).toContain(code)
    if ((await readdir(parent)).includes('kit'))
      expect(await checkKit(kit)).toMatchObject({ faults: [] })
    else {
      await makeToyKit(kit, contents)
      expect(await checkKit(kit)).toMatchObject({ faults: [] })
    }
    expect(await readdir(parent)).toEqual(['kit'])
  },
)
