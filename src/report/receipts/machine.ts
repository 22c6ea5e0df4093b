import { readFile } from 'node:fs/promises'
import { release } from 'node:os'
import { join } from 'node:path'
import { digestOf } from '../../base/digest.ts'
import { MANIFEST_PATH } from '../../image/manifest.ts'
import type { Machine } from './receipt.ts'

/** Longest word of the system that a receipt repeats. */
const LONGEST = 30

/**
 * What this machine is. `root` is its root folder. Only fields that a vendor sets are read, and
 * only plain characters of them: no name of a machine, a person or a path gets into a receipt.
 */
export async function describeMachine(root = '/'): Promise<Machine> {
  return {
    distribution: await distribution(root),
    // What follows the numbers may be anyone's words.
    kernel: /^\d+\.\d+/.exec(release())?.[0] ?? UNKNOWN,
    processor: processorOf(await textOf(join(root, 'proc/cpuinfo'))),
  }
}

/** What stands for a fact that a machine does not state. It counts for nothing. */
export const UNKNOWN = 'unknown'

/** Vendor, family and model of the first processor in /proc/cpuinfo. */
export function processorOf(cpuinfo: string): string {
  const field = (name: string): string | undefined =>
    new RegExp(`^${name}\\s*: (.*)$`, 'm').exec(cpuinfo)?.[1]
  const vendor = plain(field('vendor_id'))
  const [family, model] = [plain(field('cpu family')), plain(field('model'))]
  if (vendor === undefined || family === undefined || model === undefined) return UNKNOWN
  return `${vendor} family ${family} model ${model}`
}

async function distribution(root: string): Promise<string> {
  const osRelease = await textOf(join(root, 'etc/os-release'))
  const field = (name: string): string | undefined =>
    plain(new RegExp(`^${name}=["']?([^"'\\n]*)`, 'm').exec(osRelease)?.[1])
  const id = field('ID')
  if (id !== undefined) return [id, field('VERSION_ID') ?? []].flat().join(' ')
  const manifest = await textOf(join(root, MANIFEST_PATH))
  return manifest === '' ? UNKNOWN : `fixpoint ${digestOf(manifest).slice(0, 12)}`
}

function plain(text: string | undefined): string | undefined {
  return text?.replace(/[^\w.+~-]/g, '').slice(0, LONGEST) || undefined
}

/** Text of a file of the system; empty where there is none. */
function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '')
}
