import { z } from 'zod'
import { text } from './field.ts'

// Names become names of files, with more in front of them and behind.
const NAME = '[a-z0-9][a-z0-9+._-]{0,99}'

/** Name of a recipe. */
export const recipeName = text(
  'a name: lower-case letters, digits and + . _ - after the first',
  new RegExp(`^${NAME}$`),
)

/** A recipe's layer and name. */
export const recipeId = text('LAYER/NAME', new RegExp(`^[a-z0-9][a-z0-9-]{0,99}/${NAME}$`))

/** Name of a style. */
export const styleName = text(
  "a style's name: lower-case letters, digits and -",
  /^[a-z][a-z0-9-]{0,99}$/,
)

/** Name of a layer. */
export const layerName = text(
  'a name: lower-case letters, digits and -',
  /^[a-z0-9][a-z0-9-]{0,99}$/,
)

/** Folder of a layer, relative to that of layers.yaml; its last component is the layer's name. */
export const layerFolder = text(
  "a layer's name, or ../NAME for a folder beside that of layers.yaml",
  /^(?:\.\.\/)?[a-z0-9][a-z0-9-]{0,99}$/,
)

/** Name of a machine. */
export const machineName = text(
  'a name: lower-case letters, digits, _ and -',
  /^[a-z0-9][a-z0-9_-]{0,99}$/,
)

/** One line without blanks at its ends. */
export const line = text('one line of text', /^\S(?:[^\n\r]*\S)?$/)

/** Version of a package. */
export const version = text(
  'a version: letters, digits and + . _ ~ -',
  /^[A-Za-z0-9][A-Za-z0-9+._~-]{0,99}$/,
)

/** Part, vendor and product of a CPE name. */
export const cpe = text(
  'PART:VENDOR:PRODUCT: a, h or o, then names of lower-case letters, digits and . _ -',
  /^[aho](?::[a-z0-9][a-z0-9._-]{0,99}){2}$/,
)

/** Bytes, as people write them. */
export const size = text(
  'a size such as 800M: a whole number and K, M or G',
  /^[1-9][0-9]{0,6}[KMG]$/,
)

const variable = text('the name of a variable: letters, digits and _', /^[A-Za-z_][A-Za-z0-9_]*$/)
const stepName = text("a step's name: lower-case letters, digits and -", /^[a-z][a-z0-9-]{0,99}$/)

// A component of a path: no "..", no control characters.
const COMPONENT = '(?!\\.{1,2}(?:/|$))[^/\\u0000-\\u001f\\u007f-\\u009f]+'

/** Path of a file or folder below another one. */
export const relativePath = text(
  'a path inside, without "..", control characters, and / at its ends',
  new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`),
)

/** Texts of any form. */
export const strings = z.array(z.string())

/** Recipes. */
export const ids = z.array(recipeId)

/** Variables of the environment. */
export const env = z.record(variable, z.string())

/** Scripts by name. */
export const steps = z.record(stepName, z.string())
