import { readdirSync, readFileSync } from 'node:fs'

/** How often processes are measured, milliseconds: often enough for a linker's peak, seldom enough to cost nothing. */
const INTERVAL = 500

/** Linux on x86-64 has pages of this many bytes. */
const PAGE = 4096

/** Watches the memory of a process and all its descendants until stopped. */
export function watchMemory(pid: number | undefined): { peak: () => number; stop: () => void } {
  let peak = 0
  const measure = (): void => {
    if (pid === undefined) return
    const bytes = treeMemory(pid)
    peak = Math.max(peak, bytes)
  }
  const timer = setInterval(measure, INTERVAL)
  timer.unref()
  return {
    peak: () => peak,
    stop: () => {
      clearInterval(timer)
    },
  }
}

/** Resident bytes of a process and its descendants, shared pages counted once for each: an upper bound. */
function treeMemory(pid: number): number {
  return (
    readNumber(`/proc/${String(pid)}/statm`, 1) * PAGE +
    children(pid).reduce((sum, child) => sum + treeMemory(child), 0)
  )
}

/** Ids of a process's children; none when it ended meanwhile. */
export function children(pid: number): number[] {
  try {
    return readdirSync(`/proc/${String(pid)}/task`).flatMap((task) =>
      readFileSync(`/proc/${String(pid)}/task/${task}/children`, 'utf8')
        .split(' ')
        .filter(Boolean)
        .map(Number),
    )
  } catch {
    return [] // ended meanwhile
  }
}

function readNumber(file: string, field: number): number {
  try {
    return Number(readFileSync(file, 'utf8').split(' ')[field] ?? 0)
  } catch {
    return 0 // ended meanwhile
  }
}
