import { patchText, recipe, SHA, type Texts } from '../../../support/metadata.ts'

/** Changes of the valid tree beside one recipe, and the faults that follow. */
export const TREES: Readonly<Record<string, [texts: Texts, ...faults: string[]]>> = {
  'no layers.yaml': [{ 'layers/layers.yaml': undefined }, 'missing-file layers/layers.yaml'],
  'an empty layers.yaml': [{ 'layers/layers.yaml': '' }, 'missing-field layers/layers.yaml:1:1'],
  'no machine': [
    { 'layers/layers.yaml': 'layers: [low, high]\n' },
    'missing-field layers/layers.yaml:1:1',
  ],
  'an unknown machine': [
    { 'layers/layers.yaml': 'machine: tyo\nlayers: [low, high]\n' },
    'unknown-machine layers/layers.yaml:1:10',
  ],
  'a machine without arch': [
    { 'layers/machines/toy.yaml': 'triple: x\n' },
    'missing-field layers/machines/toy.yaml:1:1',
  ],
  'a machine with a number': [
    { 'layers/machines/toy.yaml': 'arch: x\nbits: 64\n' },
    'wrong-type layers/machines/toy.yaml:2:7',
  ],
  'a layer without folder': [
    { 'layers/layers.yaml': 'machine: toy\nlayers: [low, high, higher]\n' },
    'missing-layer layers/layers.yaml:2:21',
  ],
  'a layer twice': [
    { 'layers/layers.yaml': 'machine: toy\nlayers: [low, high, low]\n' },
    'duplicate-layer layers/layers.yaml:2:21',
  ],
  'a layer by a path without folder': [
    { 'layers/layers.yaml': 'machine: toy\nlayers: [low, high, ../top]\n' },
    'missing-layer layers/layers.yaml:2:21',
  ],
  'a layer by a path to a file': [
    { 'layers/layers.yaml': 'machine: toy\nlayers: [low, high, ../top]\n', top: '' },
    'missing-layer layers/layers.yaml:2:21',
  ],
  'a layer by a path that ends as another does': [
    {
      'layers/layers.yaml': 'machine: toy\nlayers: [low, high, ../low]\n',
      'low/x/recipe.yaml': recipe('x', 'style: plain'),
    },
    'duplicate-layer layers/layers.yaml:2:21',
  ],
  'a layer by a path that ends in styles': [
    { 'layers/layers.yaml': 'machine: toy\nlayers: [low, high, ../styles]\n', 'styles/x': '' },
    'bad-value layers/layers.yaml:2:21',
  ],
  'a host layer by its path': [
    {
      'layers/layers.yaml': 'machine: toy\nhost-layers: [../top]\nlayers: [low, high, ../top]\n',
      'top/x/recipe.yaml': recipe('x', 'style: plain'),
    },
    'bad-value layers/layers.yaml:2:15',
  ],
  'a layer named styles': [
    { 'layers/layers.yaml': 'machine: toy\nlayers: [low, high, styles]\n' },
    'bad-value layers/layers.yaml:2:21',
  ],
  'an unknown host layer': [
    { 'layers/layers.yaml': 'machine: toy\nhost-layers: [lo]\nlayers: [low, high]\n' },
    'unknown-layer layers/layers.yaml:2:15',
  ],
  'a file that includes itself': [
    { 'layers/layers.yaml': 'include: layers.yaml\nmachine: toy\nlayers: [low, high]\n' },
    'include-cycle layers/layers.yaml:1:10',
  ],
  'a later layer as input': [
    { 'layers/low/tool/recipe.yaml': recipe('tool', 'inputs: [high/app]\nstyle: plain') },
    'layer-order layers/low/tool/recipe.yaml:5:10',
  ],
  'a later layer as need': [
    { 'layers/low/tool/recipe.yaml': recipe('tool', 'needs: [high/app]\nstyle: plain') },
    'layer-order layers/low/tool/recipe.yaml:5:9',
  ],
  'a folder without recipe': [
    { 'layers/low/empty/files/x': 'x' },
    'recipe-missing layers/low/empty',
  ],
  'a recipe and an amendment': [
    { 'layers/high/app/amend.yaml': '' },
    'recipe-and-amendment layers/high/app/amend.yaml',
  ],
  'an unknown file in a recipe': [
    { 'layers/high/app/README.md': '' },
    'unknown-file layers/high/app/README.md',
  ],
  'an unknown file in a layer': [
    { 'layers/high/NOTES.md': '' },
    'unknown-file layers/high/NOTES.md',
  ],
  'a folder as README.md of a layer': [
    { 'layers/high/README.md/recipe.yaml': recipe('README.md', 'style: auto') },
    'bad-value layers/high/README.md/recipe.yaml:1:7',
  ],
  'an unknown file among styles': [
    { 'layers/styles/x.yml': '' },
    'unknown-file layers/styles/x.yml',
  ],
  'a patch that is none': [
    { 'layers/high/app/patches/x.diff': '' },
    'unknown-file layers/high/app/patches/x.diff',
  ],
  'patches that are a file': [
    { 'layers/high/app/patches': '' },
    'special-file layers/high/app/patches',
  ],
  'a style of another name': [
    { 'layers/styles/disk.yaml': 'name: disc\nsummary: x\nsteps: {a: b}\n' },
    'name-mismatch layers/styles/disk.yaml:1:7',
  ],
  'a style without steps': [
    { 'layers/styles/disk.yaml': 'name: disk\nsummary: x\n' },
    'missing-field layers/styles/disk.yaml:1:1',
  ],
  'a style that extends nothing': [
    { 'layers/styles/disk.yaml': 'name: disk\nsummary: x\nextends: plan\n' },
    'unknown-style layers/styles/disk.yaml:3:10',
  ],
  'a style that extends itself': [
    { 'layers/styles/disk.yaml': 'name: disk\nsummary: x\nextends: disk\n' },
    'extends-cycle layers/styles/disk.yaml:3:10',
  ],
  'a style with a wrong template': [
    { 'layers/styles/disk.yaml': 'name: disk\nsummary: x\nsteps:\n  a: echo {{vresion}}\n' },
    'unknown-name layers/styles/disk.yaml:4:11',
  ],
  'a style out of order': [
    { 'layers/styles/disk.yaml': 'summary: x\nname: disk\nsteps: {a: b}\n' },
    'field-order layers/styles/disk.yaml:2:1',
  ],
  'a style with a wrong field': [
    { 'layers/styles/disk.yaml': 'name: disk\nsummary: x\nstep: {a: b}\n' },
    'unknown-field layers/styles/disk.yaml:3:1',
  ],
  'a style with a step of the engine': [
    { 'layers/styles/disk.yaml': 'name: disk\nsummary: x\nsteps: {patch: x}\n' },
    'reserved-step layers/styles/disk.yaml:3:9',
  ],
  'a style with a wrong template in a list': [
    {
      'layers/styles/disk.yaml':
        "name: disk\nsummary: x\ninstall: ['{{make}}']\nsteps: {a: '{{install}}'}\n",
    },
    'unknown-name layers/styles/disk.yaml:3:12',
  ],
  'a machine with a directive': [
    { 'layers/machines/toy.yaml': '%YAML 1.2\n---\narch: x\n' },
    'yaml-directive layers/machines/toy.yaml:1:1',
  ],
  'a machine with a text without end': [
    { 'layers/machines/toy.yaml': `arch: x\ntriple: |\n${`  ${'x'.repeat(99)}\n`.repeat(42)}` },
    'bad-value layers/machines/toy.yaml:2:9',
  ],
  'a version without digest': [
    {
      'layers/low/tool/recipe.yaml': recipe(
        'tool',
        `sources:\n  - sha256: ${SHA}\n    from: ['npm:a@{{version}}']\nstyle: plain`,
      ),
      'layers/high/tool/amend.yaml': "set:\n  version: '2.0'\n",
    },
    'version-without-digest layers/high/tool/amend.yaml:2:12',
  ],
  'an amendment that empties a map': [
    { 'layers/high/tool/amend.yaml': 'set:\n  env: {}\n' },
    'empty-map layers/high/tool/amend.yaml:2:3',
  ],
  'a patch that was cut off': [
    { 'layers/high/app/patches/x.patch': patchText().replace('+b\n', '') },
    'patch-cut-off layers/high/app/patches/x.patch:5:1',
  ],
  'a patch that is a page': [
    { 'layers/high/app/patches/x.patch': '<!DOCTYPE html>\n' },
    'patch-no-hunk layers/high/app/patches/x.patch:1:1',
  ],
  'a patch that renames': [
    { 'layers/high/app/patches/x.patch': 'Why\ndiff --git a/x b/y\nrename from x\nrename to y\n' },
    'patch-rename layers/high/app/patches/x.patch:3:1',
  ],
}
