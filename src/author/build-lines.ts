/** The program of a new recipe. */
export interface NewProgram {
  readonly name: string
  /** The folder of its sources in `$SRC`; undefined if they are in `$SRC` itself. */
  readonly folder: string | undefined
}

/** Styles for which no recipe can be written that only has to be filled in, and why. */
export const NO_START: Readonly<Record<string, string>> = {
  'autotools-host': 'it is for layers that see the host, which yours do not',
  kconfig: 'it is for packages that Kconfig configures, and needs their steps',
}

const INPUTS = 'inputs: [toolchain/gcc, toolchain/make, toolchain/busybox]'

/** The lines of a new recipe that say how it is built. `style`: a style's name. */
export function buildLines(style: string, { name, folder }: NewProgram): readonly string[] {
  switch (style) {
    case 'meson':
    case 'cmake':
      return [
        `inputs: [toolchain/gcc, toolchain/busybox, base/${style}]`,
        `style: ${style}`,
        ...(folder === undefined ? [] : ['env:', `  PROJECT: ${folder}`]),
      ]
    case 'autotools':
      return [
        INPUTS,
        'style: autotools',
        '# All libraries are static. If the script refuses this option, remove it.',
        'configure: [--disable-shared]',
        ...(folder === undefined ? [] : ['env:', `  WORK: /build/src/${folder}`]),
      ]
    case 'plain':
      return [INPUTS, 'style: plain', ...plainSteps(name, folder)]
    default:
      return [INPUTS, `style: ${style}`]
  }
}

function plainSteps(name: string, folder: string | undefined): readonly string[] {
  const where = '# Where its files go: "$OUT" stands for the root of what uses it.'
  if (folder === undefined)
    return [where, 'steps:', '  build: make', '  install: make install DESTDIR="$OUT" PREFIX=/usr']
  return [
    where,
    'steps:',
    `  build: make -C ${folder}`,
    `  install: install -D ${folder}/${name} "$OUT/usr/bin/${name}"`,
  ]
}
