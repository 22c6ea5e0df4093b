import { z } from 'zod'
import { described, field, text } from './field.ts'
import { sourceLicense, sourceLicenseFiles } from './license-schema.ts'
import { relativePath, strings } from './texts.ts'

const licensing = { license: sourceLicense, 'license-files': sourceLicenseFiles }

const placing = {
  name: field(z.string().optional(), {
    description: described(
      "The file's name below `$SOURCES`. Default: the last component of the first place; for npm",
      '`NAME-VERSION.tgz`. Not `SHA256SUMS`, which mirrors use. Templates.',
    ),
    entersKey: true,
  }),
  to: field(z.string().optional(), {
    description: 'Folder below `$SRC` that it is unpacked into. Templates.',
    entersKey: true,
    default: '.',
  }),
  unpack: field(z.boolean().optional(), {
    description: '`false`: it is not unpacked, steps find it as `$SOURCES/NAME`.',
    entersKey: true,
    default: true,
  }),
}

/** A source that is fetched. */
export const fileSourceSchema = z
  .strictObject({
    sha256: field(text('64 lower-case hexadecimal digits', /^[0-9a-f]{64}$/), {
      description: "SHA-256 of the file: the source's identity.",
      entersKey: true,
    }),
    from: field(strings, {
      description: described(
        'Places, tried in order after the store and the mirrors: `debian:PACKAGE/FILE`,',
        '`npm:NAME@VERSION`, `https://…`, `file:PATH` (relative to the folder of the recipe).',
        'Templates.',
      ),
      entersKey: false,
    }),
    ...placing,
    ...licensing,
  })
  .meta({ title: 'fetched file' })

/** A source made of files of the checkout. */
export const treeSourceSchema = z
  .strictObject({
    tree: field(z.array(relativePath).min(1, { error: 'must name at least one file or folder' }), {
      description: described(
        'Files and folders of the checkout, relative to the folder that holds the layers folder.',
        'Empty folders are left out, and what is named `.git`. Modes become 0644 or 0755.',
      ),
      entersKey: true,
    }),
    name: field(z.string(), {
      description: "The folder's name below `$SOURCES`. Templates.",
      entersKey: true,
    }),
    to: field(z.string().optional(), {
      description: 'Folder below `$SRC` that it is copied into. Templates.',
      entersKey: true,
      default: '.',
    }),
    unpack: field(z.boolean().optional(), {
      description: '`false`: it is not copied, steps find it as `$SOURCES/NAME`.',
      entersKey: true,
      default: true,
    }),
    ...licensing,
  })
  .meta({ title: 'files of the checkout' })

/** One element of `sources`. */
export const sourceSchema = z.union([fileSourceSchema, treeSourceSchema])

/** One element of `sources` as written. */
export type SourceText = z.infer<typeof sourceSchema>
