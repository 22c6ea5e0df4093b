import { z } from 'zod'
import { described, field, text } from './field.ts'
import { relativePath } from './texts.ts'

/** SPDX expression of a source. */
export const sourceLicense = field(z.string().optional(), {
  description: 'SPDX expression of the source. Default: that of the recipe.',
  entersKey: false,
})

/** What names a text of a license in a source. */
const licenseText = {
  path: field(relativePath, {
    description: described(
      "Path of the file in the source, without a tarball's outermost folder. A tarball in the",
      'source counts as a folder. Templates.',
    ),
    entersKey: false,
  }),
  sha256: field(text('64 lower-case hexadecimal digits', /^[0-9a-f]{64}$/), {
    description: 'SHA-256 of the file, or of its `lines`.',
    entersKey: false,
  }),
  lines: field(
    text(
      'the first and the last line, such as 1-20',
      /^[1-9][0-9]{0,6}-[1-9][0-9]{0,6}$/,
    ).optional(),
    {
      description: 'First and last line that count, such as `1-20`. Default: the whole file.',
      entersKey: false,
    },
  ),
}

const ownLicenseFileSchema = z.strictObject(licenseText).meta({ title: 'license file' })

/** `license-files` of a source. */
export const sourceLicenseFiles = field(z.array(ownLicenseFileSchema).optional(), {
  description: 'Files of the source that hold the text of its license.',
  entersKey: false,
})

/** One element of a recipe's `license-files`. */
export const licenseFileSchema = z
  .strictObject({
    source: field(z.string().optional(), {
      description: described(
        "Name of the source, as below `$SOURCES`. Default: the recipe's only one; not in",
        '`license-files` of a source. Templates.',
      ),
      entersKey: false,
    }),
    ...licenseText,
  })
  .meta({ title: 'license file' })

/** `license-files` of a recipe. */
export const licenseFiles = field(z.array(licenseFileSchema).optional(), {
  description: described(
    'Files of the sources that hold texts of licenses. When a source is unpacked, they are',
    'compared with their digests.',
  ),
  entersKey: false,
})

/** A file with the text of a license as written; `source` only where a recipe states it. */
export type LicenseFileText = z.infer<typeof licenseFileSchema>
