import { recipe, SHA } from '../../../support/metadata.ts'

/** Texts of the recipe high/app, each with a fault, and `CODE:LINE:COLUMN` of what is found. */
export const RECIPES: Readonly<Record<string, [text: string | Uint8Array, ...faults: string[]]>> = {
  // Files that are no YAML, or more of it than the format allows.
  'an empty file': ['', 'missing-field:1:1'],
  'only a comment': ['# nothing\n', 'missing-field:1:1'],
  'a list': ['- name: app\n', 'wrong-type:1:1'],
  'a text': ['name\n', 'wrong-type:1:1'],
  'a tab as indentation': ['name: app\nenv:\n\tA: b\n', 'yaml-tab:3:1'],
  'no UTF-8': [Buffer.from('name: app\nsummary: \xe4\n', 'latin1'), 'not-utf8:2:10'],
  'a repeated key': ['name: app\nversion: 1.0.0\nname: app\n', 'duplicate-key:3:1'],
  'a repeated key deep inside': [
    recipe('app', 'style: auto\nenv:\n  A: x\n  A: y'),
    'duplicate-key:8:3',
  ],
  'a billion laughs': [
    `a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n`,
    'yaml-anchor:1:7',
    'yaml-anchor:2:7',
    'yaml-alias:3:5',
    'yaml-alias:3:9',
  ],
  'a tag': ['name: !!str app\n', 'yaml-tag:1:13'],
  'an unknown tag': ['name: !!js/function app\n', 'yaml-tag:1:21'],
  'two documents': ['name: app\n---\nname: app\n', 'yaml-documents:2:1'],
  'a key that is no text': ['1: x\n', 'yaml-key:1:1'],
  'a list as a key': ['? [a]\n: x\n', 'yaml-key:1:1'],
  'a key that objects have of themselves': ['__proto__: {name: app}\n', 'yaml-key:1:1'],
  'a NUL character': [`summary: "a\\0b"\n`, 'nul-character:1:10'],
  'an open bracket': ['inputs: [a\n', 'yaml-syntax:2:1'],
  'a line without end': [`summary: ${'x'.repeat(5000)}\n`, 'line-too-long:1:1'],
  'a file without end': ['# x\n'.repeat(100_000), 'file-too-large'],
  // Licenses.
  'a license file without a digest': [
    recipe('app', 'license-files: [{path: COPYING}]\nstyle: auto'),
    'missing-field:5:17',
  ],
  'a license file of no source': [
    recipe('app', `license-files: [{path: COPYING, sha256: ${SHA}}]\nstyle: auto`),
    'missing-field:5:17',
  ],
  'a license file of another source': [
    recipe('app', `license-files: [{source: x, path: COPYING, sha256: ${SHA}}]\nstyle: auto`),
    'unknown-source:5:26',
  ],
  'a license file of one of two sources': [
    recipe(
      'app',
      `sources: [{sha256: ${SHA}, from: ['npm:a@1']}, {sha256: ${SHA}, from: ['npm:b@1']}]\n` +
        `license-files: [{path: COPYING, sha256: ${SHA}}]\nstyle: auto`,
    ),
    'missing-field:6:17',
  ],
  'license files that lead out': [
    recipe(
      'app',
      `sources: [{sha256: ${SHA}, from: ['npm:a@1']}]\nlicense-files:\n` +
        ['../x', '/etc/passwd', 'a/../../x', 'a//x', './x', 'x/', '', '"a\\nb"']
          .map((path) => `  - {path: ${path === '' ? "''" : path}, sha256: ${SHA}}\n`)
          .join('') +
        'style: auto',
    ),
    ...[7, 8, 9, 10, 11, 12, 13, 14].map((line) => `bad-value:${line}:12`),
  ],
  'a license file that is named by nothing': [
    recipe(
      'app',
      `sources: [{sha256: ${SHA}, from: ['npm:a@1']}]\nlicense-files:\n` +
        `  - {path: 'a-{{nothing}}', sha256: ${SHA}}\nstyle: auto`,
    ),
    'unknown-name:7:15',
  ],
  'lines of a license file that end before they begin': [
    recipe(
      'app',
      `sources: [{sha256: ${SHA}, from: ['npm:a@1']}]\n` +
        `license-files: [{path: COPYING, sha256: ${SHA}, lines: 9-2}]\nstyle: auto`,
    ),
    'bad-value:6:114',
  ],
  'lines of a license file from 0': [
    recipe(
      'app',
      `sources: [{sha256: ${SHA}, from: ['npm:a@1']}]\n` +
        `license-files: [{path: COPYING, sha256: ${SHA}, lines: 0-2}]\nstyle: auto`,
    ),
    'bad-value:6:114',
  ],
  // Fields.
  'a missing field': ['name: app\nversion: 1.0.0\nsummary: x\nstyle: auto\n', 'missing-field:1:1'],
  'a misspelt field': [recipe('app', 'style: auto\nconfigre: [--x]'), 'unknown-field:6:1'],
  'a misspelt field of a source': [
    recipe('app', `sources:\n  - sha265: ${SHA}\n    from: []\nstyle: auto`),
    'missing-field:6:5',
    'unknown-field:6:5',
  ],
  'a misspelt field of set': [
    'name: app\nextends: low/tool\nset: {sumary: x}\n',
    'unknown-field:3:7',
  ],
  'a number as version': [
    'name: app\nversion: 1.10\nsummary: x\nlicense: MIT\nstyle: auto\n',
    'wrong-type:2:10',
  ],
  'a number as value of a variable': [recipe('app', 'style: auto\nenv:\n  A: 1'), 'wrong-type:7:6'],
  'a whole CPE name': [
    'name: app\nextends: low/tool\nset: {cpe: "cpe:2.3:a:gnu:make:1"}\n',
    'bad-value:3:12',
  ],
  'a CPE name without its part': [
    'name: app\nextends: low/tool\nset: {cpe: gnu:make}\n',
    'bad-value:3:12',
  ],
  'an empty list': [recipe('app', 'inputs:\nstyle: auto'), 'wrong-type:5:1'],
  'a text for a list': [recipe('app', 'style: auto\nconfigure: --x'), 'wrong-type:6:12'],
  'a map in a list of texts': [recipe('app', 'style: auto\nconfigure: [a: b]'), 'wrong-type:6:13'],
  'a bad digest': [
    recipe('app', `sources:\n  - sha256: ABC\n    from: ['npm:a@1']\nstyle: auto`),
    'bad-value:6:13',
  ],
  'a bad size': [recipe('app', 'style: auto\nmemory: 800 MB'), 'bad-value:6:9'],
  'a negative cost': [recipe('app', 'style: auto\ncost: -1'), 'bad-value:6:7'],
  'a fraction of a second': [recipe('app', 'style: auto\ntimeout: 1.5'), 'bad-value:6:10'],
  'no number': [recipe('app', 'style: auto\ncost: .inf'), 'wrong-type:6:7'],
  'a bad name of a variable': [recipe('app', 'style: auto\nenv: {A-B: x}'), 'bad-value:6:7'],
  'a bad name of a recipe': [recipe('app', 'inputs: [tool]\nstyle: auto'), 'bad-value:5:10'],
  'the name of another folder': [recipe('apq', 'style: auto'), 'name-mismatch:1:7'],
  'fields out of order': [recipe('app', 'style: auto\ninputs: [low/tool]'), 'field-order:6:1'],
  'fields of a source out of order': [
    recipe('app', `sources:\n  - from: ['npm:a@1']\n    sha256: ${SHA}\nstyle: auto`),
    'field-order:7:5',
  ],
  // Names of other things.
  'an unknown style': [recipe('app', 'style: atuo'), 'unknown-style:5:8'],
  'no style': [recipe('app', 'inputs: []'), 'missing-field:1:1'],
  'a step that the style lacks': [
    recipe('app', 'style: auto\nsteps:\n  instal: x'),
    'unknown-step:7:3',
  ],
  'an unknown recipe': [recipe('app', 'inputs: [low/tolo]\nstyle: auto'), 'unknown-recipe:5:10'],
  itself: [recipe('app', 'inputs: [high/app]\nstyle: auto'), 'self-reference:5:10'],
  'a recipe twice': [
    recipe('app', 'inputs: [low/tool, low/tool]\nstyle: auto'),
    'duplicate-element:5:20',
  ],
  'contents without an image': [
    recipe('app', 'style: auto\ncontents: [low/tool]'),
    'contents-without-image:6:1',
  ],
  'a list that nothing uses': [recipe('app', 'style: plain\nconfigure: [--x]'), 'unused-list:6:1'],
  // Templates.
  'an unknown name': [
    recipe('app', 'style: auto\nconfigure: [a, "--with={{machine.tripel}}"]'),
    'unknown-name:6:24',
  ],
  'an unknown name in a script': [
    recipe('app', 'style: auto\nsteps:\n  build: |\n    echo {{name}}\n    echo {{nmae}}\n'),
    'unknown-name:9:10',
  ],
  'a name twice, wrong both times': [
    recipe('app', 'style: auto\nsteps:\n  build: "{{x}} {{x}}"\n'),
    'unknown-name:7:11',
    'unknown-name:7:17',
  ],
  'a list where only scripts know it': [
    recipe('app', 'style: auto\nconfigure: ["{{make}}"]'),
    'unknown-name:6:14',
  ],
  'a section': [
    recipe('app', 'style: auto\nconfigure: ["{{#name}}x{{/name}}"]'),
    'template-section:6:14',
  ],
  'a partial': [recipe('app', 'style: auto\nconfigure: ["{{> name}}"]'), 'template-section:6:14'],
  'an unescaped form': [
    recipe('app', 'style: auto\nconfigure: ["{{{name}}}"]'),
    'template-section:6:14',
  ],
  'other braces': [
    recipe('app', 'style: auto\nconfigure: ["{{=<% %>=}}"]'),
    'template-section:6:14',
  ],
  'an open template': [
    recipe('app', 'style: auto\nconfigure: ["{{name}} {{name"]'),
    'template-syntax:6:23',
  ],
  // Sources.
  'an unknown form of place': [
    recipe(
      'app',
      `sources:\n  - sha256: ${SHA}\n    from: ['npm:a@1', 'ftp://x/y', 'debian:abc']\nstyle: auto`,
    ),
    'bad-place:7:23',
    'bad-place:7:36',
  ],
  'a place without a file': [
    recipe('app', `sources:\n  - sha256: ${SHA}\n    from: ['https://example.org/']\nstyle: auto`),
    'bad-place:7:12',
  ],
  'neither place nor name': [
    recipe('app', `sources:\n  - sha256: ${SHA}\n    from: []\nstyle: auto`),
    'missing-field:6:5',
  ],
  'two sources of a name': [
    recipe(
      'app',
      `sources:\n  - sha256: ${SHA}\n    from: ['npm:a@1']\n  - sha256: ${SHA}\n` +
        `    from: ['npm:a@1']\nstyle: auto`,
    ),
    'duplicate-source:8:5',
  ],
  'a name with a slash': [
    recipe('app', `sources:\n  - sha256: ${SHA}\n    from: []\n    name: a/b\nstyle: auto`),
    'bad-value:8:11',
  ],
  'a folder outside': [
    recipe('app', `sources:\n  - sha256: ${SHA}\n    from: ['npm:a@1']\n    to: ../x\nstyle: auto`),
    'bad-value:8:9',
  ],
  'a folder for what stays packed': [
    recipe(
      'app',
      `sources:\n  - sha256: ${SHA}\n    from: ['npm:a@1']\n    to: x\n    unpack: false\n` +
        `style: auto`,
    ),
    'bad-value:8:5',
  ],
  'a file of the checkout that is not there': [
    recipe('app', 'sources:\n  - tree: [layers, srk]\n    name: x\nstyle: auto'),
    'missing-file:6:20',
  ],
  'a file outside of the checkout': [
    recipe('app', 'sources:\n  - tree: [../x, a/../../b, /etc, a/]\n    name: x\nstyle: auto'),
    'bad-value:6:12',
    'bad-value:6:18',
    'bad-value:6:29',
    'bad-value:6:35',
  ],
  // Sizes and names that the machine would not take.
  'a directive': ['%YAML 1.1\n---\nname: app\n', 'yaml-directive:1:1'],
  'a directive behind words': ['# Why\n%TAG ! tag:x,2000:\n---\nname: app\n', 'yaml-directive:2:1'],
  'an unknown directive': ['%OTHER\n---\nname: app\n', 'yaml-directive:1:1'],
  'a directive of a second document': [
    'name: app\n...\n%YAML 1.1\n---\nname: app\n',
    'yaml-directive:3:1',
  ],
  'half a character': ['summary: "a\\ud800b"\n', 'half-character:1:10'],
  'a variable that no program can get': [
    recipe('app', `style: auto\nenv:\n  A: |\n${`    ${'x'.repeat(4000)}\n`.repeat(31)}`),
    'variable-too-large:7:3',
  ],
  'variables that no program can get': [
    recipe(
      'app',
      `style: auto\n` +
        `configure:\n${`  - ${'x'.repeat(4000)}\n`.repeat(30)}env:\n` +
        'ABCDEFGHI'.replace(/./g, "  $&: '{{configure}}'\n"),
    ),
    'variable-too-large:38:3',
  ],
  'a text that grows without end': [
    recipe(
      'app',
      `style: auto\nconfigure:\n${`  - ${'x'.repeat(4000)}\n`.repeat(30)}steps:\n` +
        `  build: "${'{{configure}}'.repeat(20)}"\n`,
    ),
    'template-size:38:115',
  ],
  'a step of the engine': [
    recipe('app', 'style: auto\nsteps:\n  unpack: x\n  patch: x'),
    'reserved-step:7:3',
    'reserved-step:8:3',
  ],
  'a step whose name is too long': [
    recipe('app', `style: auto\nsteps:\n  ${'s'.repeat(101)}: x`),
    'bad-value:7:3',
  ],
  'a control character in the name of a file of the checkout': [
    recipe('app', 'sources:\n  - tree: ["a\\eb"]\n    name: x\nstyle: auto'),
    'bad-value:6:12',
  ],
  'a place that leads out': [
    recipe(
      'app',
      `sources:\n  - sha256: ${SHA}\n    from: ['npm:a@1', 'https://h/..%2f..%2fx']\nstyle: auto`,
    ),
    'bad-place:7:23',
  ],
  'a source that is called as the list of a mirror': [
    recipe('app', `sources:\n  - sha256: ${SHA}\n    from: ['https://h/sha256sums']\nstyle: auto`),
    'reserved-name:7:12',
  ],
  'a folder without end': [
    recipe(
      'app',
      `sources:\n  - sha256: ${SHA}\n    from: ['npm:a@1']\n    to: ${'d/'.repeat(600)}d\n` +
        `style: auto`,
    ),
    'bad-value:8:9',
  ],
}
