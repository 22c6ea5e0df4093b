import { open, readFile, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { bootSession, type BootOptions } from '../../qemu/boot.ts'
import type { Patience, Session } from '../../qemu/session.ts'
import { temporaryFolder } from './temporary.ts'

/** How a command in a guest ended, and what it printed. */
export interface Said {
  readonly good: boolean
  readonly text: string
}

/**
 * Waits for the prompt of a guest that boots, and keeps the kernel's messages off its console from
 * then on. A message in the midst of an answer would hide it from the pattern that waits for it.
 */
export async function firstPrompt(machine: Session): Promise<void> {
  await machine.expect('# ')
  // Quotes in what is typed keep its echo from being taken for the answer.
  machine.type('echo 1 > /proc/sys/kernel/printk; echo kernel qui"et"\n')
  await machine.expect('kernel quiet')
  await machine.expect('# ')
}

/** Boots an image to its prompt, lets `use` work there, and pulls the plug whatever comes of it. */
export async function atPrompt<T>(
  options: BootOptions,
  use: (machine: Session) => Promise<T>,
): Promise<T> {
  const machine = await bootSession(options)
  try {
    await firstPrompt(machine)
    return await use(machine)
  } finally {
    await machine.kill()
  }
}

/** Boots an image with 4 GiB of memory and a blank disk as the place for its data. */
export async function withData<T>(
  options: BootOptions,
  use: (machine: Session) => Promise<T>,
): Promise<T> {
  return atPrompt({ memory: '4G', disks: [await dataDisk()], ...options }, async (machine) => {
    const { good, text } = await type(machine, 'data create vdb')
    if (!good) throw new Error(`the guest cannot make a place for data:\n${text}`)
    return use(machine)
  })
}

/** Types a command at a guest's prompt and waits until it has ended. */
export async function type(
  machine: Session,
  command: string,
  patience: Patience = {},
): Promise<Said> {
  // Quotes in what is typed keep its echo from being taken for the end.
  machine.type(`${command}\nif [ $? = 0 ]; then echo "end: "good; else echo "end: "bad; fi\n`)
  const [text, state] = await machine.expect(/[\s\S]*?\nend: (good|bad)\n/, patience)
  await machine.expect('# ')
  return { good: state === 'good', text }
}

/** Types a command that must succeed; what it printed. */
export async function must(machine: Session, command: string, minutes = 2): Promise<string> {
  const { good, text } = await type(machine, command, { timeoutMs: minutes * 60_000 })
  if (!good) throw new Error(`a command failed in the guest:\n${text}`)
  return text
}

/**
 * Every socket that could take in something from outside, a line each; a file that is not there is
 * a line as well.
 */
export const SOCKETS = 'cat /proc/net/tcp /proc/net/udp /proc/net/raw 2>&1 | grep -v local_address'

const KEYS: Readonly<Record<string, string>> = { ' ': 'spc', '/': 'slash', '\n': 'ret' }

/**
 * Types on the guest's keyboard, whose screen the serial line is not: lower-case letters, blanks,
 * slashes and line feeds.
 */
export async function press(machine: Session, text: string): Promise<void> {
  for (const letter of text) {
    const key = { type: 'qcode', data: KEYS[letter] ?? letter }
    await machine.qmp('send-key', { keys: [key], 'hold-time': 20 })
    // The next key comes once this one is up again, as a person's would.
    await setTimeout(60)
  }
}

/** Number of colours on the guest's screen. */
export async function coloursOnScreen(machine: Session): Promise<number> {
  const picture = join(await temporaryFolder(), 'screen.ppm')
  await machine.qmp('screendump', { filename: picture })
  const pixels = (await readFile(picture)).subarray(-640 * 400 * 3)
  const colours = new Set<number>()
  for (let at = 0; at + 3 <= pixels.length; at += 3) colours.add(pixels.readUIntBE(at, 3))
  return colours.size
}

/** A blank disk of that many bytes, which takes no room until it is written; goes with the test. */
export async function blankDisk(bytes: number): Promise<string> {
  const file = join(await temporaryFolder(), 'disk.img')
  await blankFile(file, bytes)
  return file
}

/** Makes a blank disk, like {@link blankDisk}, at a path. */
export async function blankFile(file: string, bytes: number): Promise<void> {
  await (await open(file, 'w')).close()
  await truncate(file, bytes)
}

/** A virtio disk that the guest may write to, by default a blank one of 8 GiB. */
export async function dataDisk(
  file?: string,
): Promise<{ file: string; bus: 'virtio'; writable: true }> {
  return { file: file ?? (await blankDisk(8 * 2 ** 30)), bus: 'virtio', writable: true }
}
