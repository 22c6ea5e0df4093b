import { mkdir } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { digestOf } from '../../../src/base/digest.ts'
import { commandLine, makes, onSmallDisk, TOOLS_RECIPE } from '../../support/cli.ts'
import { useRig, whole } from './rig.ts'

const rig = useRig()
const makeToy = commandLine()

/** Larger than the small disk below. */
const LARGE = Buffer.alloc(12 << 20, 'large')

test.each(['http', 'file'])(
  'a full disk is no fault of the places, and no other is tried (%s)',
  async (kind) => {
    const { address, requests } = await rig().serve(whole(LARGE))
    const first = kind === 'http' ? `${address}/a` : `file:${await rig().write('large', LARGE)}`
    const toy = await makeToy({
      'layers/bootstrap/tools/recipe.yaml': TOOLS_RECIPE,
      'layers/product/sourced/recipe.yaml': makes(
        'sourced',
        'sourced',
        `sources: [{ sha256: ${digestOf(LARGE)}, from: ['${first}', '${address}/b'], ` +
          `unpack: false }]`,
        'inputs: [bootstrap/tools]',
      ),
    })
    await mkdir(toy.store, { recursive: true })
    const { code, stderr } = await toy.runWith(
      { wrap: onSmallDisk(toy.store, 8) },
      'fetch',
      'sourced',
    )
    expect(stderr).toContain('the disk is full')
    expect(code).toBe(6)
    expect(requests.map(({ url }) => url)).toEqual(kind === 'http' ? ['/a'] : [])
  },
)
