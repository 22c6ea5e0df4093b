import { readdirSync, readFileSync } from 'node:fs'

/**
 * How often processes are measured at most, milliseconds: often enough for a linker's peak, seldom
 * enough to cost nothing.
 */
const INTERVAL = 500

/** Share of the time that measuring may take: a step may have thousands of processes. */
const SHARE = 0.05

/** Linux on x86-64 has pages of this many bytes. */
const PAGE = 4096

/** Watches the memory of a process and all its descendants until stopped. */
export function watchMemory(pid: number | undefined): { peak: () => number; stop: () => void } {
  let peak = 0
  let timer: NodeJS.Timeout | undefined
  const watch = (delay: number): void => {
    timer = setTimeout(() => {
      const started = performance.now()
      if (pid !== undefined) peak = Math.max(peak, treeMemory(pid))
      watch(Math.max(INTERVAL, (performance.now() - started) / SHARE))
    }, delay)
    timer.unref()
  }
  watch(INTERVAL)
  return {
    peak: () => peak,
    stop: () => {
      clearTimeout(timer)
    },
  }
}

/**
 * Resident bytes of a process and its descendants, shared pages counted once for each: an upper
 * bound.
 */
function treeMemory(pid: number): number {
  let sum = 0
  const pending = [pid]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    sum += readNumber(`/proc/${String(next)}/statm`, 1) * PAGE
    pending.push(...children(next))
  }
  return sum
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
