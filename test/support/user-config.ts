import type { Toy } from './cli.ts'

/** What writes one section of a user's configuration, such as `cache`, from its lines. */
export function configureIn(
  section: string,
): (toy: Toy, ...lines: readonly string[]) => Promise<void> {
  return (toy, ...lines) => {
    const text = [`${section}:`, ...lines.map((line) => `  ${line}`), ''].join('\n')
    return toy.write({ 'home/.config/fixpoint/config.yaml': text })
  }
}
