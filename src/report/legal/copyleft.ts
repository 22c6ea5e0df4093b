import { licenseTerms } from '../../metadata/format/license.ts'
import type { Held } from './held.ts'

/**
 * Licenses that ask for source code when programs are passed on, as SPDX calls them. Artistic ones
 * are among them: whoever takes them in place of another license may still have to.
 */
const COPYLEFT = new RegExp(
  `^(?:${[
    ...['[AL]?GPL', 'LGPLLR', 'MPL', 'EPL', 'CPL', 'IPL', 'CDDL', 'EUPL', 'OSL', 'NPL', 'SSPL'],
    ...['APSL', 'QPL', 'RPL', 'RPSL', 'SPL', 'CPAL', 'CECILL(?!-B)', 'MS-RL', 'Sleepycat'],
    ...['Artistic', 'SISSL', 'Watcom', 'copyleft-next', 'CC-BY(?:-NC)?-SA', 'GFDL'],
  ].join('|')})(?:-|$)`,
)

const LESSER = /^LGPL/

/**
 * Whether the source code of something has to go with it. A choice between licenses counts as the
 * stricter one. Linked files under an exception do not count: that is what it is for.
 */
export function wantsSource({ license, isWhole }: Pick<Held, 'license' | 'isWhole'>): boolean {
  return licenseTerms(license).some(
    (term) => COPYLEFT.test(term.license) && (isWhole || term.exception === undefined),
  )
}

/** Whether a program that holds this must let its user link another version: LGPL, no exception. */
export function wantsRelinking(license: string | undefined): boolean {
  const terms = license === undefined ? [] : licenseTerms(license)
  return terms.some((term) => LESSER.test(term.license) && term.exception === undefined)
}
