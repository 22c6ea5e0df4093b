import { expect, test } from 'vitest'
import { SharedWork } from '../../../src/fetch/shared.ts'

/** Work whose end the test decides; remembers the signal of each start. */
function scripted(): {
  work: (signal: AbortSignal) => Promise<void>
  signals: AbortSignal[]
  end: () => void
  fail: (error: unknown) => void
} {
  const signals: AbortSignal[] = []
  let end: () => void = () => undefined
  let fail: (error: unknown) => void = () => undefined
  const work = (signal: AbortSignal): Promise<void> => {
    signals.push(signal)
    return new Promise((resolve, reject) => {
      end = resolve
      fail = reject
    })
  }
  return {
    work,
    signals,
    end: () => {
      end()
    },
    fail: (error) => {
      fail(error)
    },
  }
}

test('one run for all who ask meanwhile, another for who asks later', async () => {
  const shared = new SharedWork()
  const { work, signals, end } = scripted()
  const both = Promise.all([
    shared.run('k', 'n', undefined, work),
    shared.run('k', 'n', undefined, work),
  ])
  expect(signals).toHaveLength(1)
  end()
  await both
  const later = shared.run('k', 'n', undefined, work)
  expect(signals).toHaveLength(2)
  end()
  await later
})

test('one of two gives up: the work goes on for the other', async () => {
  const shared = new SharedWork()
  const { work, signals, end } = scripted()
  const impatient = new AbortController()
  const first = shared.run('k', 'n', impatient.signal, work)
  const second = shared.run('k', 'n', undefined, work)
  impatient.abort()
  await expect(first).rejects.toMatchObject({ kind: 'interrupted', code: 'interrupted' })
  expect(signals[0]?.aborted).toBe(false)
  end()
  await second
})

test('the last gives up: the work is aborted and waited for; who asks then starts anew', async () => {
  const shared = new SharedWork()
  const old = scripted()
  const controller = new AbortController()
  let settled = false
  const first = shared.run('k', 'n', controller.signal, old.work).finally(() => (settled = true))
  first.catch(() => undefined)
  controller.abort()
  expect(old.signals[0]?.aborted).toBe(true)
  const fresh = scripted()
  const second = shared.run('k', 'n', undefined, fresh.work)
  expect(fresh.signals).toHaveLength(1)
  fresh.end()
  await second
  expect(settled).toBe(false)
  old.fail(old.signals[0]?.reason)
  await expect(first).rejects.toMatchObject({ code: 'interrupted' })
})

test('asked with an aborted signal, nothing starts', async () => {
  const { work, signals } = scripted()
  await expect(new SharedWork().run('k', 'n', AbortSignal.abort(), work)).rejects.toMatchObject({
    code: 'interrupted',
  })
  expect(signals).toHaveLength(0)
})
