import { z } from 'zod'

/** `~NAME/` is of shells, which knew whose folder it is. */
const OTHER_HOME = /^~[^/]/

/** A file or folder in the configuration. */
export const NamedPath = z
  .string()
  .min(1, 'must not be empty')
  .refine(
    (text) => !OTHER_HOME.test(text),
    'must be a whole path: of homes, only your own is known, as ~/',
  )

/** An address, or a folder that is named as such. */
export const Place = z
  .string()
  .min(1, 'must not be empty')
  .superRefine((text, context) => {
    const message = faultOfPlace(text)
    if (message !== undefined) context.addIssue({ code: 'custom', message })
  })

function faultOfPlace(text: string): string | undefined {
  if (/^https?:/i.test(text)) {
    if (!/^https?:\/\/[^\s/]/i.test(text) || !URL.canParse(text))
      return 'must be an address such as https://HOST/ or https://HOST:PORT/PATH'
    return /[?#]/.test(text) ? 'must be an address without "?" and "#"' : undefined
  }
  if (/^file:/i.test(text))
    return /^file:(\/\/)?\/(?!\/)/.test(text)
      ? undefined
      : 'must be file:/FOLDER or file:///FOLDER, without the name of a host'
  if (/^[a-z][a-z0-9+.-]*:/i.test(text))
    return 'must be an http:// or https:// address, or a folder'
  // Relative to what, the writer and this file may not agree on.
  return /^(\/|~\/|~$|\.\.?(\/|$))/.test(text)
    ? undefined
    : 'must be an address, or the whole path of a folder, such as /srv/cache or ~/cache'
}
