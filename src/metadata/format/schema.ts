import { z } from 'zod'
import { described, field } from './field.ts'
import { licenseFiles } from './license-schema.ts'
import { sourceSchema } from './source-schema.ts'
import {
  cpe,
  env,
  ids,
  line,
  recipeId,
  recipeName,
  size,
  steps,
  strings,
  styleName,
  version,
} from './texts.ts'

// The schemas are the one table of the format: the loader checks with them, and the JSON Schemas
// and the lists of docs/recipes.md are printed from them. The order of the fields counts.

const head = {
  version: field(version.optional(), {
    description: described(
      "The package's version, `{{version}}` in templates. Write one that looks like a number in",
      'quotes.',
    ),
    entersKey: false,
  }),
  cpe: field(cpe.optional(), {
    description: described(
      'What databases of vulnerabilities call the package, `PART:VENDOR:PRODUCT` of a CPE name,',
      'such as `a:openssl:openssl`. For bills of materials.',
    ),
    entersKey: false,
  }),
  summary: field(line.optional(), {
    description: 'What it is, one line without a full stop.',
    entersKey: false,
  }),
  license: field(line.optional(), {
    description: 'SPDX expression. Not of an image: its expression follows from what it holds.',
    entersKey: false,
  }),
  'linked-license': field(line.optional(), {
    description: described(
      'SPDX expression of those of its files that become part of what is built with it, as',
      'libraries and boot loaders do. Default: there are none.',
    ),
    entersKey: false,
  }),
}

const sources = field(z.array(sourceSchema).optional(), {
  description: 'Files the build starts from, each named by its digest.',
  entersKey: true,
})
const inputs = field(ids.optional(), {
  description: described(
    'Recipes, as LAYER/NAME, of this layer or an earlier one. The sandbox holds their artifacts,',
    'those of the `needs` of each, and nothing else.',
  ),
  entersKey: true,
})
const needs = field(ids.optional(), {
  description: 'Recipes, as LAYER/NAME, that whoever uses this artifact also gets.',
  entersKey: false,
})
const style = field(styleName.optional(), {
  description: 'The style, which gives the steps and their environment.',
  entersKey: true,
})
const config = field(strings.optional(), {
  description: described(
    'Names of files in `files/` that hold options, in the order in which they apply: a later one',
    'wins. `{{config}}` in scripts. Templates.',
  ),
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
  description: described(
    'Recipes, as LAYER/NAME, whose artifacts go into the image, with the `needs` of each. Only',
    'with image styles.',
  ),
  entersKey: true,
})

const closure = field(z.boolean().optional(), {
  description: described(
    '`true`: the image also holds everything that building it takes, apart from artifacts of host',
    'layers. `$MIRROR` holds the sources of all of it, host layers included. Only with image',
    'styles.',
  ),
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

/** Top-level fields that say how a recipe is built. */
const body = {
  sources,
  'license-files': licenseFiles,
  inputs,
  needs,
  style,
  config,
  configure,
  make,
  install,
  ...tail,
  contents,
  closure,
  ...limits,
}

/** Top-level fields that `set` may replace, in their order. */
const fields = { ...head, ...body }

/** Names of elements to take out. */
const names = strings.optional()

/**
 * The one merge operator: in a recipe that `extends`, and in an amendment. Done in the order set,
 * remove, append.
 */
const operators = {
  set: field(z.strictObject(fields).optional(), {
    description: 'Replaces whole fields; in `env` and `steps` only the entries that it names.',
  }),
  append: field(
    z
      .strictObject({ sources, inputs, needs, config, configure, make, install, contents })
      .optional(),
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
        config: names,
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
        'Takes elements out of lists, and entries out of `env` and `steps`. They must be there.',
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
    description: described(
      'Recipe to start from: all its merged fields except `name`, and its patches and files.',
      "A field stated here replaces that recipe's, like `set`.",
    ),
  }),
  ...operators,
  ...body,
})

/** `amend.yaml` */
export const amendSchema = z.strictObject({
  amends: field(recipeId.optional(), {
    description: described(
      'Recipe of an earlier layer that is changed. Default: the only one that has the name of the',
      'folder.',
    ),
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
    description: described(
      'Its recipes make a disk image: `$CONTENTS` holds the union of `contents`, `$MANIFEST` the',
      'list of it.',
    ),
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
    description: described(
      'Scripts by name, in the order they run, each by `sh -eu` in `$SRC`. The names `unpack` and',
      "`patch` are the engine's own. Templates.",
    ),
    entersKey: true,
  }),
})

/** What recipe.yaml holds. */
export type RecipeText = z.infer<typeof recipeSchema>
/** What amend.yaml holds. */
export type AmendText = z.infer<typeof amendSchema>
/** What a style's file holds. */
export type StyleText = z.infer<typeof styleSchema>
/** The fields that the merge operator works on, as written. */
export type MergeableText = z.infer<typeof operators.set> & object

/** Top-level fields of a recipe that are maps, whose entries are replaced one by one. */
export const MAP_FIELDS = ['env', 'steps'] as const
/** Lists of words that only scripts use, as `{{configure}}`, `{{make}}` and `{{install}}`. */
export const WORD_LISTS = ['configure', 'make', 'install'] as const
/** All lists that only scripts use. Styles have those of {@link WORD_LISTS} only. */
export const SCRIPT_LISTS = ['config', ...WORD_LISTS] as const
/** Top-level fields of a recipe that are lists. */
export const LIST_FIELDS = ['sources', 'inputs', 'needs', ...SCRIPT_LISTS, 'contents'] as const

/** A top-level field of a recipe that is replaced as a whole: neither map nor list. */
export type WholeField = Exclude<
  keyof typeof fields,
  (typeof MAP_FIELDS)[number] | (typeof LIST_FIELDS)[number]
>

/** All of {@link WholeField}. */
export const WHOLE_FIELDS = Object.keys(fields).filter(
  (field): field is WholeField =>
    ![...MAP_FIELDS, ...LIST_FIELDS].some((other: string) => other === field),
)
