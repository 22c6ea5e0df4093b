import { compareSemanticVersions } from './semantic-version.ts'

const VERSION = String.raw`\d+\.\d+\.\d+(?:-[\w.-]+)?`
const RANGE = new RegExp(`^(?:${VERSION}|(?:[<>]=?${VERSION})(?: +[<>]=?${VERSION})*)$`)

/** Whether a text is a version, or comparisons with versions, all of which must hold. */
export function isRange(text: string): boolean {
  return RANGE.test(text)
}

/** Whether a version is in a range, see {@link isRange}. */
export function isInRange(version: string, range: string): boolean {
  return range.split(/ +/).every((word) => {
    const [, operator = '', other = ''] = /^([<>]=?)?(.*)$/.exec(word) ?? []
    const order = compareSemanticVersions(version, other)
    switch (operator) {
      case '<':
        return order < 0
      case '<=':
        return order <= 0
      case '>':
        return order > 0
      case '>=':
        return order >= 0
      default:
        return order === 0
    }
  })
}
