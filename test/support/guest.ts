import { open, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { bootSession, type BootOptions } from '../../qemu/boot.ts'
import type { Patience, Session } from '../../qemu/session.ts'
import { temporaryFolder } from './temporary.ts'

/** How a command in a guest ended, and what it printed. */
export interface Said {
  readonly good: boolean
  readonly text: string
}

/** Boots an image to its prompt, lets `use` work there, and pulls the plug whatever comes of it. */
export async function atPrompt<T>(options: BootOptions, use: (machine: Session) => Promise<T>): Promise<T> {
  const machine = await bootSession(options)
  try {
    await machine.expect('# ')
    return await use(machine)
  } finally {
    await machine.kill()
  }
}

/** Boots an image with 4 GiB of memory and a blank disk as the place for its data. */
export async function withData<T>(options: BootOptions, use: (machine: Session) => Promise<T>): Promise<T> {
  return atPrompt({ memory: '4G', disks: [await dataDisk()], ...options }, async (machine) => {
    const { good, text } = await type(machine, 'data create vdb')
    if (!good) throw new Error(`the guest cannot make a place for data:\n${text}`)
    return use(machine)
  })
}

/** Types a command at a guest's prompt and waits until it has ended. */
export async function type(machine: Session, command: string, patience: Patience = {}): Promise<Said> {
  // Quotes in what is typed keep its echo from being taken for the end.
  machine.type(`${command}\nif [ $? = 0 ]; then echo "end: "good; else echo "end: "bad; fi\n`)
  const [text, state] = await machine.expect(/[\s\S]*?\nend: (good|bad)\n/, patience)
  await machine.expect('# ')
  return { good: state === 'good', text }
}

/** A blank disk of that many bytes, which takes no room until it is written; goes with the test. */
export async function blankDisk(bytes: number): Promise<string> {
  const file = join(await temporaryFolder(), 'disk.img')
  await (await open(file, 'w')).close()
  await truncate(file, bytes)
  return file
}

/** A virtio disk that the guest may write to, by default a blank one of 8 GiB. */
export async function dataDisk(file?: string): Promise<{ file: string; bus: 'virtio'; writable: true }> {
  return { file: file ?? (await blankDisk(8 * 2 ** 30)), bus: 'virtio', writable: true }
}
