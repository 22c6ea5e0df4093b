import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { multiply } from '../../../src/archive/par2/galois.ts'
import { pairKernel } from '../../../src/archive/par2/pair-kernel.ts'
import { PairThreads, threadsFor } from '../../../src/archive/par2/pair-threads.ts'
import { Sums } from '../../../src/archive/par2/sums.ts'
import { Work } from '../../../src/archive/par2/work.ts'

const element = fc.integer({ min: 0, max: 65535 })

it('two sums at once are each the sum of its products', () => {
  const words = fc.array(element, { maxLength: 40 })
  fc.assert(
    fc.property(words, element, element, element, (source, one, two, before) => {
      const pair = Int32Array.from(source, () => before | (before << 16))
      pairKernel()([pair], Uint16Array.from(source), Uint16Array.of(one, two))
      expect([...pair].map((both) => [both & 0xffff, both >>> 16])).toEqual(
        source.map((word) => [one, two].map((factor) => before ^ multiply(word, factor))),
      )
    }),
  )
})

describe('sums', () => {
  const parts = [3, 40_000, 65_535, 7, 8, 9, 10].map((word) => Uint16Array.of(word, ~word, 1))
  const factor = (sum: number, input: number): number => 1000 * sum + 31 * input + 1

  it.each([0, 1, 2, 5])('are the same with %d threads', async (threads) => {
    const options = { count: 5, factor, inputs: parts.length, width: 8, threads }
    const found = await Sums.with(options, async (sums) => {
      sums.load(3, 6, (bytes) => bytes.fill(1))
      for (const [input, part] of parts.entries()) {
        ;(await sums.piece()).words.set(part)
        await sums.add(input, 6, new Work({}))
      }
      await sums.settled()
      return Array.from({ length: 5 }, (_, sum) => [...sums.read(sum, 6).words])
    })
    const wanted = found.map((_, sum) =>
      [0, 1, 2].map((at) =>
        parts.reduce(
          (word, part, input) => word ^ multiply(part[at]!, factor(sum, input)),
          sum === 3 ? 0x0101 : 0,
        ),
      ),
    )
    expect(found).toEqual(wanted)
  })

  it('use threads for much work only', () => {
    expect(threadsFor(50, 1 << 10)).toBe(0)
    expect(threadsFor(1, 1 << 40)).toBe(0)
    expect(threadsFor(50, 1 << 30)).not.toBe(1)
  })
})

it('a thread that ends is an error, and nobody waits for it', async () => {
  const threads = new PairThreads([new Int32Array(2)], [new Uint16Array(2)], 1)
  try {
    // It is no piece, so the thread throws.
    threads.add(7, 2, new Uint16Array(2))
    await expect(threads.untilFree(7)).rejects.toMatchObject({ code: 'parity-thread' })
    await expect(threads.untilFree(0)).rejects.toMatchObject({ code: 'parity-thread' })
  } finally {
    await threads.close()
  }
})
