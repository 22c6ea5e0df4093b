import { open, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import type { Patience, Session } from '../../qemu/session.ts'
import { temporaryFolder } from './temporary.ts'

/** How a command in a guest ended, and what it printed. */
export interface Said {
  readonly good: boolean
  readonly text: string
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
