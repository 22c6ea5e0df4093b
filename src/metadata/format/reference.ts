import { z } from 'zod'
import {
  amendSchema,
  fileSourceSchema,
  layersSchema,
  machineSchema,
  recipeSchema,
  styleSchema,
  treeSourceSchema,
} from './schema.ts'

const SCHEMAS = {
  recipe: recipeSchema,
  amend: amendSchema,
  style: styleSchema,
  layers: layersSchema,
  machine: machineSchema,
} as const

/** Kinds of metadata files that have a schema. */
export type SchemaName = keyof typeof SCHEMAS

/** All of them, in the order of the reference. */
export const SCHEMA_NAMES = Object.keys(SCHEMAS) as readonly SchemaName[]

/**
 * JSON Schema (draft 7) of one kind of file, for editors. Says the same as the loader's checks but
 * for order and references.
 */
export function jsonSchema(name: SchemaName): Record<string, unknown> {
  const schema = z.toJSONSchema(SCHEMAS[name], {
    target: 'draft-7',
    io: 'input',
    override: ({ jsonSchema: printed }) => {
      delete printed['entersKey']
    },
  })
  if (name !== 'recipe') return schema
  // What the loader finds only after merging: these are there or come from the recipe that is
  // extended.
  return {
    ...schema,
    anyOf: [{ required: ['version', 'summary', 'license', 'style'] }, { required: ['extends'] }],
  }
}

/** The text of docs/recipes.md: the whole format, printed from the schemas. */
export function recipesDocument(): string {
  return `${[
    '# Recipes',
    'Printed from the schema in `src/metadata/format/schema.ts`; do not edit. The order of fields is part of the format. *Key* says whether a change of the field makes a new key, so that the recipe is built again.',
    '## recipe.yaml',
    '`layers/LAYER/NAME/` holds `recipe.yaml`, `patches/*.patch` (applied with `-p1` in the order of their names) and `files/` (found as `$FILES`), and nothing else.',
    table(recipeSchema),
    PATCHES,
    '`version`, `summary`, `license` and `style` are needed, in the recipe or in the one it extends. Texts that YAML takes for a number, such as 1.10, are written in quotes. Anchors, aliases, tags and directives are not part of the format.',
    '### sources: fetched files',
    table(fileSourceSchema),
    '### sources: files of the checkout',
    table(treeSourceSchema),
    '## Merging',
    MERGING,
    '## amend.yaml',
    'Stands in a later layer instead of a recipe.yaml, in a folder of the same name, and changes that recipe; `patches/` and `files/` beside it are added to it.',
    table(amendSchema),
    '## Templates',
    TEMPLATES,
    '## Steps and their variables',
    STEPS,
    '## Styles that are there',
    STYLES,
    '## styles/NAME.yaml',
    table(styleSchema),
    '## layers.yaml',
    'One file, with the folders of the layers beside it or beside its folder, and `styles/` and `machines/`. It states a `machine`, unless a file that it includes does. A layer is named by the last component of its path, and its folder may hold a `README.md`.',
    table(layersSchema),
    '## machines/NAME.yaml',
    'A flat map of texts, used as `{{machine.NAME}}`. A value enters a key only where it is used. `arch` must be there.',
    '## A layer of your own',
    OWN_LAYER,
  ].join('\n\n')}\n`
}

const PATCHES = `A patch is a unified diff, as \`diff -Naur a b\` and \`git diff\` write it. Its first
lines say what it is for. A recipe with patches needs \`toolchain/patch\` among its inputs, except in
the host layers.

A patch may change, make and delete files, also empty ones, and symbolic links. It may change the
modes 0644 and 0755. The build applies it by GNU patch without fuzz: all lines of a hunk must be in
the file as they are in the patch.

The loader refuses a patch that GNU patch could apply in part, or to another file. Such are renames,
copies, binary files, context diffs and hunks that only add lines without context. Step \`prepare\`
renames by \`mv\` and copies by \`cp\`. The loader also refuses hunks with more or fewer lines than their
heads count. A patch that was cut off exactly between two hunks looks like a smaller one and passes.`

const MERGING = `One operator serves \`extends\` and \`amend.yaml\`:

| operator | takes | does |
|---|---|---|
| \`set\` | any field but \`name\` | replaces the whole field; of \`env\` and \`steps\` the entries that it names, the others stay |
| \`remove\` | names of elements of lists, of \`patches\` and \`files\`, of entries of \`env\` and \`steps\` | takes them out; one that is not there is an error |
| \`append\` | lists | adds elements at the end |

They are done in this order; then own patches and files are added. A recipe that extends another may also state a field itself, which is the same as \`set\`. A step or variable that is taken out is the style's again. Whoever changes \`version\` also gives the new digest of each source whose place or name holds \`{{version}}\`. It starts from that recipe as it is after all amendments. Amendments are applied in the order of their layers. \`fixpoint show --origin RECIPE\` names the file and line of every field.`

const TEMPLATES = `\`{{name}}\`, \`{{version}}\`, \`{{layer}}\` and \`{{machine.NAME}}\` are expanded after merging, in the fields marked so. Variables of the environment and scripts also know \`{{configure}}\`, \`{{make}}\` and \`{{install}}\`: the list's elements, each quoted for the shell where needed, joined by blanks. A list that is empty is the style's, if that has one. A list that is filled but used nowhere is an error, and so is a name that does not exist. There are no sections, no partials and no escaping.`

const STEPS = `A recipe's steps run in the sandbox, in \`$SRC\`, each as a script of its own by \`sh -eu\`: variables and the folder do not carry over. Before them the engine adds two: \`unpack\` (a tarball loses its outermost folder, a tree is copied) and \`patch\`. What lies below \`$OUT\` when the last step has ended is the artifact; nothing else is kept.

| variable | is |
|---|---|
| \`OUT\` | \`/out\`, empty at first: the root of what is installed, so \`$OUT/usr/bin/hello\` becomes \`/usr/bin/hello\` |
| \`SRC\`, \`OBJ\` | \`/build/src\`, the unpacked sources, and \`/build/obj\`, an empty folder; both may be written to |
| \`SOURCES\`, \`PATCHES\`, \`FILES\` | the recipe's sources as they were fetched, its \`patches/\` and its \`files/\`; read-only |
| \`CONTENTS\`, \`MANIFEST\`, \`MIRROR\` | in image styles: what goes into the image, the list of it, and with \`closure\` the sources |
| \`PATH\` | \`/usr/bin:/bootstrap/bin\`; in host layers \`/bootstrap/bin:/usr/bin\` |
| \`SOURCE_DATE_EPOCH\` | the time that all files of an artifact get |
| \`MAKEFLAGS\` | the engine's jobserver: \`make\` needs no \`-j\` |
| \`HOME\`, \`TMPDIR\`, \`USER\`, \`LOGNAME\`, \`SHELL\`, \`TERM\`, \`LC_ALL\`, \`TZ\` | constants: \`/tmp\`, \`/tmp\`, \`builder\`, \`builder\`, \`/bin/sh\`, \`dumb\`, \`C\`, \`UTC\` |`

const STYLES = `They lie in \`layers/styles\` of the checkout. A layers.yaml that includes Fixpoint's own has them; \`fixpoint show RECIPE\` prints the steps and variables that a recipe ends up with.

| style | steps, in order | for |
|---|---|---|
| \`plain\` | \`prepare\`, \`configure\`, \`build\`, \`install\`, \`normalise\` | the recipe fills in the first four, which do nothing of themselves |
| \`autotools\` | as \`plain\` | \`./configure\`, \`make\`, \`make install\`, with the recipe's \`configure\`, \`make\` and \`install\`; an empty \`install\` means target \`install\`; \`prepare\` does nothing |
| \`autotools-host\` | as \`plain\` | the same by the host's compiler, into \`/bootstrap\`: for host layers |
| \`image\` | \`root\`, \`boot\`, \`mirror\`, \`disk\`, \`check\` | disk images, by the programs of input \`base/image-tools\`; the easiest way to one is \`extends: system/tiny\` |

\`normalise\` removes manuals, translations and libtool's \`.la\` files, and makes links of further names of a file. The variables of \`plain\`, which the two after it have too:

| variable | is |
|---|---|
| \`CC\`, \`CXX\`, \`AR\`, \`RANLIB\` | the cross tools, \`{{machine.triple}}-gcc\` and so on; in \`autotools-host\` the host's |
| \`CFLAGS\`, \`CXXFLAGS\` | \`{{machine.cflags}}\`; in \`autotools-host\` \`-O1\` |
| \`LDFLAGS\` | \`-s\`; the toolchain links statically of itself; in \`autotools-host\` \`--static -s\` |
| \`INTO\` | the folder that \`make install\` of \`autotools\` takes for the root (\`DESTDIR\`): \`/out\` |
| \`WORK\`, \`CONFIGURE\` | of \`autotools\`: the folder that it builds in, \`/build/src\`, and \`./configure\`; for a build folder of its own \`/build/obj\` and \`../src/configure\` |`

const OWN_LAYER = `Folders \`styles/\` and \`machines/\` lie beside layers.yaml, like those of the layers. A name of a style, machine or layer exists once, included files counted. Fixpoint works on \`layers/layers.yaml\` of the working folder, or on what \`--layers\` names.

A layer on top of Fixpoint's own, as in \`docs/tutorial.md\`, has their styles and their machine. With CHECKOUT for the checkout's path:

\`\`\`sh
mkdir -p product/layers/product/hello/files product/layers/product/device
cd product
cat > layers/layers.yaml <<'end'
include: CHECKOUT/layers/layers.yaml
layers: [product]
end
cat > layers/product/hello/files/hello.c <<'end'
#include <stdio.h>

int main(void)
{
  puts("Hello from a program of our own");
  return 0;
}
end
cat > layers/product/hello/recipe.yaml <<'end'
name: hello
version: '1'
summary: A program of our own
license: MIT
inputs: [toolchain/gcc, toolchain/busybox]
style: plain
steps:
  build: '"$CC" $CFLAGS $LDFLAGS -o hello "$FILES/hello.c"'
  install: install -D hello "$OUT/usr/bin/hello"
end
cat > layers/product/device/recipe.yaml <<'end'
name: device
summary: The product
extends: system/tiny
append:
  contents: [product/hello]
end
fixpoint lint
fixpoint build -n device
\`\`\`

\`toolchain/gcc\` brings what it needs along; \`toolchain/busybox\` is the shell and the tools: without it no step can start ("execvp /bin/sh").

Without Fixpoint's layers, a layers.yaml states a \`machine\`, and there are no styles but its own. A host layer needs no \`inputs\`: it sees the host's \`/usr\`.

\`\`\`sh
mkdir -p own/layers/host/greeting own/layers/machines own/layers/styles
cd own
printf '%s\\n' 'machine: x86_64' 'host-layers: [host]' 'layers: [host]' > layers/layers.yaml
echo 'arch: x86_64' > layers/machines/x86_64.yaml
cat > layers/styles/script.yaml <<'end'
name: script
summary: Commands of the host
steps:
  install: ':'
end
cat > layers/host/greeting/recipe.yaml <<'end'
name: greeting
version: '1'
summary: A program made by the host's compiler
license: MIT
style: script
steps:
  install: |
    echo 'int main(void) { return 0; }' > greeting.c
    mkdir -p "$OUT/usr/bin"
    cc -o "$OUT/usr/bin/greeting" greeting.c
end
fixpoint lint
fixpoint build greeting
\`\`\`

## Artifacts

\`fixpoint build\` prints a line \`LAYER/NAME DIGEST\` for every target. An image is put into \`out/\` as well, and its files are named below its line. The artifact is a tar in the store, \`blobs/XX/DIGEST\`, where XX are the digest's first two digits: \`tar -tf ~/.cache/fixpoint/blobs/XX/DIGEST\` lists it.`

function table(schema: z.ZodObject): string {
  const rows = Object.entries(schema.shape).map(([name, type]) => row(name, type as z.ZodType))
  return ['| field | type | key | meaning |', '|---|---|---|---|', ...rows].join('\n')
}

function row(name: string, type: z.ZodType): string {
  const meta = type.meta() ?? {}
  const key = meta['entersKey'] === undefined ? '' : meta['entersKey'] === true ? 'yes' : 'no'
  const { default: initial } = meta as { default?: string | number | boolean }
  const standard = initial === undefined ? '' : ` Default: \`${String(initial)}\`.`
  return `| \`${name}\`${type instanceof z.ZodOptional ? '' : ' (needed)'} | ${typeName(type)} | ${key} | ${`${meta.description ?? ''}${standard}`.replaceAll('|', '\\|')} |`
}

function typeName(type: z.ZodType): string {
  if (type instanceof z.ZodOptional) return typeName(type.unwrap() as z.ZodType)
  if (type instanceof z.ZodArray) return `list of ${plural(typeName(type.element as z.ZodType))}`
  if (type instanceof z.ZodRecord) return 'map of texts'
  if (type instanceof z.ZodObject) return type.meta()?.title ?? 'map of fields'
  if (type instanceof z.ZodUnion) return 'source'
  if (type instanceof z.ZodBoolean) return 'true or false'
  return type instanceof z.ZodNumber ? 'number' : 'text'
}

function plural(name: string): string {
  return name.endsWith('s') ? name : `${name}s`
}
