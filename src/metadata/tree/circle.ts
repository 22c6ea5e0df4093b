/** The edges of a circle, from a path of names and the one of them that comes next. */
export function circle(path: readonly string[], next: string): string[] {
  const members = path.slice(path.indexOf(next))
  return members.map((from, at) => `${from} -> ${members[at + 1] ?? next}`)
}
