import { readdirSync } from 'node:fs'

/**
 * Calls `act` once names below a folder have changed for the `change`th time, as far as a look
 * every millisecond tells. Returns what ends that. Node's own recursive watch throws, and nobody
 * can catch it, where a folder goes while it looks.
 */
export function atChange(folder: string, change: number, act: () => void): () => void {
  let changes = 0
  let before = namesBelow(folder)
  const timer = setInterval(() => {
    const names = namesBelow(folder)
    if (names !== before && ++changes === change) act()
    before = names
  }, 1)
  return () => {
    clearInterval(timer)
  }
}

/** All names below a folder; none while one of its folders goes. */
function namesBelow(folder: string): string {
  try {
    return readdirSync(folder, { recursive: true }).join('\n')
  } catch {
    return ''
  }
}
