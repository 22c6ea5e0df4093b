import { z } from 'zod'

/**
 * The recipe format, its one reference: `docs/recipes.md` and the JSON Schemas are printed from
 * here, and the loader checks with it. The order of the fields is part of the format. `entersKey`
 * says whether a change of the field's (expanded) value makes a new key.
 */
interface FieldMeta {
  readonly description: string
  readonly entersKey?: boolean
  /** Value when the field is left out; for readers only. */
  readonly default?: string | number | boolean
}

function field<T extends z.ZodType>(type: T, meta: FieldMeta): T {
  return type.meta({ ...meta })
}

function text(wanted: string, pattern: RegExp): z.ZodString {
  return z.string().regex(pattern, { error: `must be ${wanted}` })
}

// Names become names of files, with more in front of them and behind.
const NAME = '[a-z0-9][a-z0-9+._-]{0,99}'

const recipeName = text(
  'a name: lower-case letters, digits and + . _ - after the first',
  new RegExp(`^${NAME}$`),
)
const recipeId = text('LAYER/NAME', new RegExp(`^[a-z0-9][a-z0-9-]{0,99}/${NAME}$`))
const styleName = text("a style's name: lower-case letters, digits and -", /^[a-z][a-z0-9-]{0,99}$/)
const layerName = text('a name: lower-case letters, digits and -', /^[a-z0-9][a-z0-9-]{0,99}$/)
const layerFolder = text(
  "a layer's name, or ../NAME for a folder beside that of layers.yaml",
  /^(?:\.\.\/)?[a-z0-9][a-z0-9-]{0,99}$/,
)
const machineName = text(
  'a name: lower-case letters, digits, _ and -',
  /^[a-z0-9][a-z0-9_-]{0,99}$/,
)
const line = text('one line of text', /^\S(?:[^\n\r]*\S)?$/)
const variable = text('the name of a variable: letters, digits and _', /^[A-Za-z_][A-Za-z0-9_]*$/)
const stepName = text("a step's name: lower-case letters, digits and -", /^[a-z][a-z0-9-]{0,99}$/)
const size = text('a size such as 800M: a whole number and K, M or G', /^[1-9][0-9]{0,6}[KMG]$/)
const relativePath = text(
  'a path inside, without "..", control characters, and / at its ends',
  /^(?!\.{1,2}(?:\/|$))[^/\u0000-\u001f\u007f-\u009f]+(?:\/(?!\.{1,2}(?:\/|$))[^/\u0000-\u001f\u007f-\u009f]+)*$/,
)

const strings = z.array(z.string())
const ids = z.array(recipeId)
const env = z.record(variable, z.string())
const steps = z.record(stepName, z.string())

const placing = {
  name: field(z.string().optional(), {
    description:
      "The file's name below `$SOURCES`; when left out, the last component of the first place, for npm `NAME-VERSION.tgz`; no place may end in what is no name of a file. Not `SHA256SUMS`, which mirrors use. Templates.",
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
      description:
        'Places, tried in order after the store and the mirrors: `debian:PACKAGE/FILE`, `npm:NAME@VERSION`, `https://…`, `file:PATH` (relative to the folder of the recipe). Templates.',
      entersKey: false,
    }),
    ...placing,
  })
  .meta({ title: 'fetched file' })

/** A source made of files of the checkout. */
export const treeSourceSchema = z
  .strictObject({
    tree: field(z.array(relativePath).min(1, { error: 'must name at least one file or folder' }), {
      description:
        'Files and folders of the checkout, relative to the folder that holds the layers folder. Modes are reduced to 0644 and 0755.',
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
  })
  .meta({ title: 'files of the checkout' })

/** One element of `sources`. */
export const sourceSchema = z.union([fileSourceSchema, treeSourceSchema])

const head = {
  version: field(
    text(
      'a version: letters, digits and + . _ ~ -',
      /^[A-Za-z0-9][A-Za-z0-9+._~-]{0,99}$/,
    ).optional(),
    {
      description:
        "The package's version, `{{version}}` in templates. One that looks like a number is written in quotes.",
      entersKey: false,
    },
  ),
  summary: field(line.optional(), {
    description: 'What it is, one line without a full stop.',
    entersKey: false,
  }),
  license: field(line.optional(), { description: 'SPDX expression.', entersKey: false }),
}

const sources = field(z.array(sourceSchema).optional(), {
  description: 'Files the build starts from, each named by its digest.',
  entersKey: true,
})
const inputs = field(ids.optional(), {
  description:
    "Recipes, as LAYER/NAME, whose artifacts make up the sandbox's whole world, together with the `needs` of each. Of this layer or an earlier one.",
  entersKey: true,
})
const needs = field(ids.optional(), {
  description:
    'Recipes, as LAYER/NAME, that the users of this artifact also get. Not in the key of this recipe.',
  entersKey: false,
})
const style = field(styleName.optional(), {
  description: 'Name of the style that gives the steps and their environment.',
  entersKey: true,
})
const configure = field(strings.optional(), {
  description: 'Arguments of configure: `{{configure}}` in scripts. Templates.',
  entersKey: true,
})
const make = field(strings.optional(), {
  description: 'Variables and targets of `make` when building: `{{make}}` in scripts. Templates.',
  entersKey: true,
})
const install = field(strings.optional(), {
  description:
    'Variables and targets of `make` when installing: `{{install}}` in scripts. Templates.',
  entersKey: true,
})
const contents = field(ids.optional(), {
  description:
    'Recipes, as LAYER/NAME, whose artifacts go into the image, with the `needs` of each; image styles only.',
  entersKey: true,
})

const closure = field(z.boolean().optional(), {
  description:
    '`true`: `contents` also hold everything that building the image takes, apart from what host layers make; `$MIRROR` holds the sources of all of it, host layers included. Image styles only.',
  entersKey: true,
  default: false,
})

const tail = {
  env: field(env.optional(), {
    description: "Variables of the steps' environment, over those of the style. Templates.",
    entersKey: true,
  }),
  steps: field(steps.optional(), {
    description: 'Scripts that replace steps of the style, by name. Templates.',
    entersKey: true,
  }),
}

const limits = {
  memory: field(size.optional(), {
    description:
      'Estimated peak memory; K, M and G are powers of 1024. Decides how much runs at once.',
    entersKey: false,
    default: '512M',
  }),
  cost: field(
    z
      .number()
      .positive({ error: 'must be more than 0' })
      .max(1e6, { error: 'must be at most 1000000' })
      .optional(),
    {
      description: 'Estimated seconds on one core. Decides what runs first.',
      entersKey: false,
      default: 10,
    },
  ),
  timeout: field(
    z
      .int({ error: 'must be a whole number of seconds' })
      .min(1, { error: 'must be at least 1' })
      .max(1e6, { error: 'must be at most 1000000' })
      .optional(),
    {
      description: 'Seconds after which a step is ended.',
      entersKey: false,
      default: 7200,
    },
  ),
}

/** Top-level fields that `set` may replace, in their order. */
const fields = {
  ...head,
  sources,
  inputs,
  needs,
  style,
  configure,
  make,
  install,
  ...tail,
  contents,
  closure,
  ...limits,
}

/** Names of elements to take out. */
const names = strings.optional()

/**
 * The one merge operator: in a recipe that `extends`, and in an amendment. Done in the order set,
 * remove, append.
 */
const operators = {
  set: field(z.strictObject(fields).optional(), {
    description:
      'Replaces whole fields; in `env` and `steps` only the entries that it names, the others stay.',
  }),
  append: field(
    z.strictObject({ sources, inputs, needs, configure, make, install, contents }).optional(),
    {
      description:
        'Adds elements at the end of lists. Own `patches/` and `files/` are always added.',
    },
  ),
  remove: field(
    z
      .strictObject({
        sources: field(names, {
          description: 'Names of sources, as written: before templates are expanded.',
        }),
        patches: field(names, { description: 'Names of patches.' }),
        files: field(names, { description: 'Paths below `files/`.' }),
        inputs: names,
        needs: names,
        configure: names,
        make: names,
        install: names,
        env: field(names, {
          description: 'Names of variables that the recipe states; those of its style stay.',
        }),
        steps: field(names, {
          description: "Names of steps that the recipe states; the style's come back.",
        }),
        contents: names,
      })
      .optional(),
    {
      description:
        'Takes elements out of lists, and entries out of `env` and `steps`; one that is not there is an error.',
    },
  ),
}

/** `recipe.yaml` */
export const recipeSchema = z.strictObject({
  name: field(recipeName, {
    description: "The folder's name, `{{name}}` in templates.",
    entersKey: false,
  }),
  ...head,
  extends: field(recipeId.optional(), {
    description:
      "Recipe to start from: all its merged fields but `name`, its patches and its files. A field stated here replaces that recipe's, like `set`.",
  }),
  ...operators,
  ...{
    sources,
    inputs,
    needs,
    style,
    configure,
    make,
    install,
    ...tail,
    contents,
    closure,
    ...limits,
  },
})

/** `amend.yaml` */
export const amendSchema = z.strictObject({
  amends: field(recipeId.optional(), {
    description:
      "Recipe of an earlier layer that is changed; when left out, the only one that has the folder's name.",
  }),
  ...operators,
})

function wordsOf(list: string): z.ZodOptional<z.ZodArray<z.ZodString>> {
  const description = `\`{{${list}}}\` of recipes whose own list is empty. Templates.`
  return field(strings.optional(), { description, entersKey: true })
}

/** `styles/NAME.yaml` */
export const styleSchema = z.strictObject({
  name: field(styleName, { description: "The file's name without `.yaml`.", entersKey: false }),
  summary: field(line, {
    description: 'What it is for, one line without a full stop.',
    entersKey: false,
  }),
  extends: field(styleName.optional(), {
    description:
      'Style to start from: its variables and steps come first, own ones replace them by name.',
  }),
  image: field(z.boolean().optional(), {
    description:
      'Its recipes make a disk image: `$CONTENTS` holds the union of `contents`, `$MANIFEST` the list of it.',
    entersKey: true,
    default: false,
  }),
  configure: wordsOf('configure'),
  make: wordsOf('make'),
  install: wordsOf('install'),
  env: field(env.optional(), {
    description: "Variables of the steps' environment. Templates.",
    entersKey: true,
  }),
  steps: field(steps.optional(), {
    description:
      "Scripts by name, in the order they run, each by `sh -eu` in `$SRC`. `unpack` and `patch` are the engine's own. Templates.",
    entersKey: true,
  }),
})

/** `layers.yaml` */
export const layersSchema = z.strictObject({
  include: field(z.string().min(1, { error: 'must be a path' }).optional(), {
    description:
      "Another `layers.yaml`, relative to this file, whose layers come before this file's.",
  }),
  machine: field(machineName.optional(), {
    description:
      'Machine to build for: a file `machines/NAME.yaml`. When left out, that of the included file.',
  }),
  'host-layers': field(z.array(layerName).optional(), {
    description:
      "Layers whose sandbox sees the host's `/usr`; never in a file that includes another.",
  }),
  layers: field(z.array(layerFolder), {
    description:
      'Folders of recipes, in order: `NAME` beside this file, or `../NAME` beside its folder. A recipe may name recipes of its own or earlier layers.',
  }),
})

/** `machines/NAME.yaml` */
export const machineSchema = z.record(
  text("a value's name: lower-case letters, digits and -", /^[a-z][a-z0-9-]{0,99}$/),
  // A template may hold it a hundred times.
  z.string().max(4096, { error: 'must have at most 4096 characters' }),
)

/** What recipe.yaml holds. */
export type RecipeText = z.infer<typeof recipeSchema>
/** What amend.yaml holds. */
export type AmendText = z.infer<typeof amendSchema>
/** What a style's file holds. */
export type StyleText = z.infer<typeof styleSchema>
/** One element of `sources` as written. */
export type SourceText = z.infer<typeof sourceSchema>
/** The fields that the merge operator works on, as written. */
export type MergeableText = z.infer<typeof operators.set> & object

/** Top-level fields of a recipe that are replaced as a whole. */
export const WHOLE_FIELDS = [
  'version',
  'summary',
  'license',
  'style',
  'closure',
  'memory',
  'cost',
  'timeout',
] as const
/** Top-level fields of a recipe that are maps, whose entries are replaced one by one. */
export const MAP_FIELDS = ['env', 'steps'] as const
/** Lists that only scripts use, as `{{configure}}`, `{{make}}` and `{{install}}`. */
export const WORD_LISTS = ['configure', 'make', 'install'] as const
/** Top-level fields of a recipe that are lists. */
export const LIST_FIELDS = [
  'sources',
  'inputs',
  'needs',
  'configure',
  'make',
  'install',
  'contents',
] as const
