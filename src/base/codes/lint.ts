/** What `lint` finds in metadata that are valid. */
export const LINT = {
  'lint-compiled': 'A source of a recipe holds a compiled program or library.',
  'lint-constant-variable': 'A recipe sets a variable that the sandbox sets itself.',
  'lint-credentials':
    'A place of a source has a user name or password, which all who read the recipe see.',
  'lint-image-license': 'An image states a license. Its license follows from what it holds.',
  'lint-insecure-place': 'A source is fetched by http, so everyone on the way can see it.',
  'lint-jobs': 'A recipe passes `-j` to make or ninja. The engine decides how many jobs run.',
  'lint-license': 'A license is not an SPDX expression, or SPDX does not list it.',
  'lint-license-files': 'No file of a source is named that holds the text of its license.',
  'lint-license-part': 'The license of a recipe leaves out that of a source or of linked files.',
  'lint-machine-path': 'A source has an absolute path, which exists on one machine only.',
  'lint-native': 'A compiler is told to make code for the processor that builds.',
  'lint-no-place': 'A source has no place, so only a mirror can deliver it.',
  'lint-no-target':
    'The words for `make install` name no target, so make would build again and install nothing.',
  'lint-patch-comment': 'A patch does not say in its first lines what it is for.',
  'lint-patch-order': 'Several patches have names without numbers, so their order is an accident.',
  'lint-project-place': 'The file of a project is not beside layers.yaml, so nothing reads it.',
  'lint-project-target': 'The target that the project names is not a recipe of the layers.',
  'lint-registry-address':
    'A source has the address of a registry. A place that starts with `debian:` or `npm:` lasts.',
  'lint-summary': 'A summary is too long, or ends with a full stop.',
  'lint-two-versions': 'Two recipes take the same source with different versions.',
  'lint-unlisted-folder': 'A file or folder beside layers.yaml belongs to nothing.',
  'lint-unused-style': 'No recipe uses the style, and none has its name.',
  'lint-unused-value': 'No file uses the value of the machine.',
} as const satisfies Readonly<Record<string, string>>
