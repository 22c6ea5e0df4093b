import { digestOf } from '../../src/base/digest.ts'
import type { ImageRecord } from '../../src/image/read-record.ts'
import { recordedPlan } from '../../src/image/recorded-plan.ts'
import type { LocalFile, Metadata, Recipe, Source } from '../../src/metadata/model.ts'
import { graphOf } from '../../src/plan/graph.ts'
import { plan } from '../../src/plan/plan.ts'
import { billOf, type Bill } from '../../src/report/sbom/bill.ts'
import { id } from './rig.ts'
import { toyMetadata, toyRecipe } from './toy.ts'

/** A source that is fetched from `place`. */
export function sourceFrom(place: string, license?: string): Source {
  const name = place.slice(place.lastIndexOf('/') + 1)
  return { kind: 'file', name, sha256: digestOf(place), from: [place], to: '.', license }
}

/** A patch of that name, in a folder whose path no bill may tell. */
export function patchOf(name: string): LocalFile {
  const path = `/home/canary/patches/${name}`
  return { name, path, digest: digestOf(`patch ${name}`), executable: false }
}

/** The image of a small graph: a program, a library in it, tools, and a layer that sees the host. */
export const IMAGE = id('base/image')

/** Recipes of that graph. */
export const RECIPES: readonly Recipe[] = [
  toyRecipe('host/gcc', 'make', {
    license: 'GPL-3.0-or-later WITH GCC-exception-3.1',
    linkedLicense: 'GPL-3.0-or-later WITH GCC-exception-3.1',
    version: '14.2.0',
    cpe: 'a:gnu:gcc',
    sources: [sourceFrom('debian:gcc-14/gcc-14_14.2.0.orig.tar.gz')],
  }),
  toyRecipe('base/musl', 'make', {
    linkedLicense: 'MIT',
    version: '1.2.5',
    cpe: 'a:musl-libc:musl',
    sources: [sourceFrom('debian:musl/musl_1.2.5.orig.tar.gz')],
    inputs: [id('host/gcc')],
  }),
  toyRecipe('base/make', 'make', {
    license: 'GPL-3.0-or-later',
    version: '4.4.1',
    sources: [sourceFrom('debian:make-dfsg/make-dfsg_4.4.1.orig.tar.xz')],
    patches: [patchOf('no manual.patch')],
    inputs: [id('base/musl')],
  }),
  toyRecipe('base/app', 'make', {
    license: 'Apache-2.0 AND (GPL-2.0-only OR MIT) AND ISC',
    version: '2.0+b1',
    cpe: 'a:example:app',
    sources: [
      sourceFrom('debian:app/app_2.0+b1+dfsg.orig-main.tar.xz', 'GPL-2.0-only OR MIT'),
      sourceFrom('npm:@scope/part@1.0.0-rc.1', 'ISC'),
      sourceFrom('https://user:secret@example.org/src/app-2.0+b1.tar.gz', 'Apache-2.0'),
      sourceFrom('file:/home/canary/more.tar', 'Apache-2.0'),
    ],
    patches: [patchOf('1.patch'), patchOf('2.patch')],
    files: [patchOf('3.patch'), patchOf('settings')],
    inputs: [id('base/make'), id('base/musl')],
    needs: [id('base/data')],
  }),
  toyRecipe('base/data', 'cp', {
    license: 'CC0-1.0',
    sources: [
      ...(['own', 'more'] as const).map((name): Source => ({
        kind: 'tree',
        name,
        digest: digestOf(name),
        files: [],
        to: '.',
      })),
      // The same file as another recipe's, under a license that is stated otherwise.
      sourceFrom('debian:musl/musl_1.2.5.orig.tar.gz', 'MIT AND BSD-2-Clause'),
    ],
  }),
  toyRecipe('base/image', 'write', {
    license: undefined,
    image: true,
    inputs: [id('base/make')],
    contents: [id('base/app')],
  }),
]

/** The record that a build of an image would leave: each artifact follows from its key. */
export function recordOf(metadata: Metadata, image = IMAGE, mirrors = true): ImageRecord {
  const known = {
    artifactOf: (key: string) => digestOf(`artifact of ${key}`),
    has: () => true,
  }
  const planned = plan(graphOf(metadata, [image], { mirrors }), [image], known)
  const recipes = [...planned.values()].flatMap(({ node, key }) => {
    if (key === undefined) return []
    const { id: recipe, version, host } = node.recipe
    const artifact = known.artifactOf(host ? `${key} on this host` : key)
    return [{ recipe, version, key, artifact, ...(host ? { host } : {}) }]
  })
  const artifact = recipes.find(({ recipe }) => recipe === image)!.artifact
  const files = ['image.img', 'image.img.sha256'].map((path) => ({ path, sha256: digestOf(path) }))
  return { recipe: image, artifact, files, recipes }
}

/** The bill of the image of some recipes. */
export function billFor(recipes: readonly Recipe[] = RECIPES, image = IMAGE): Bill {
  const metadata = toyMetadata(...recipes)
  const record = recordOf(metadata, image)
  return billOf(record, recordedPlan({ path: 'image.json', record }, metadata), '0.1.0')
}
