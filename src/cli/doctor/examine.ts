import { chooseAccelerator, type Accelerator } from '../../../qemu/kvm.ts'
import { examineCompilers } from './compilers.ts'
import { ok, warning, type Finding } from './finding.ts'
import { thisHost, type Host } from './host.ts'
import { examineNode, examinePrograms } from './programs.ts'
import { examineMemory, examineStore } from './resources.ts'
import { examineSandbox } from './sandbox.ts'

/** What to examine. */
export interface ExamineOptions {
  /** Folder of the store, which need not be there yet. */
  readonly store: string
  readonly host?: Host
  readonly accelerator?: () => Promise<Accelerator>
}

/**
 * Examines all that the engine needs of the host, for building first; finds everything at once and
 * changes nothing. Prints nothing.
 */
export async function examineHost({
  store,
  host = thisHost(),
  accelerator = chooseAccelerator,
}: ExamineOptions): Promise<Finding[]> {
  const [programs, compilers, sandbox, room] = await Promise.all([
    examinePrograms(host),
    examineCompilers(host),
    examineSandbox(host),
    examineStore(host, store),
  ])
  const build = [
    examineNode(host),
    ...programs,
    ...compilers,
    ...sandbox,
    ...room,
    examineMemory(host),
  ]
  const boot = await examineAcceleration(host, accelerator)
  return [...build, ...boot].sort(
    (a, b) => Number(a.purpose === 'boot') - Number(b.purpose === 'boot'),
  )
}

async function examineAcceleration(
  host: Host,
  accelerator: () => Promise<Accelerator>,
): Promise<Finding[]> {
  if ((await host.find('qemu-system-x86_64')) === undefined) return []
  if ((await accelerator()) === 'kvm') return [ok('kvm', 'boot', 'KVM runs guests')]
  const remedy =
    'where the machine has it, load the module kvm_intel or kvm_amd and join the group "kvm"'
  return [
    warning(
      'kvm',
      'boot',
      'KVM does not run guests here; images boot by emulation, ten times slower',
      remedy,
    ),
  ]
}
