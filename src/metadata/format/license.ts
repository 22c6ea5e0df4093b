/**
 * Whether a text has the form of an SPDX license expression; identifiers are not looked up.
 * https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/
 */
export function isLicenseExpression(expression: string): boolean {
  const tokens = expression.match(/[()]|[^\s()]+/g) ?? []
  let at = 0
  const identifier = () => {
    const token = tokens[at++]
    return (
      token !== undefined &&
      /^[A-Za-z0-9.:-]+\+?$/.test(token) &&
      !['AND', 'OR', 'WITH', 'NONE', 'NOASSERTION'].includes(token)
    )
  }
  const term = (): boolean => {
    if (tokens[at] === '(') {
      at++
      return terms() && tokens[at++] === ')'
    }
    if (!identifier()) return false
    if (tokens[at] !== 'WITH') return true
    at++
    return identifier()
  }
  const terms = (): boolean => {
    if (!term()) return false
    while (tokens[at] === 'AND' || tokens[at] === 'OR') {
      at++
      if (!term()) return false
    }
    return true
  }
  return terms() && at === tokens.length
}
