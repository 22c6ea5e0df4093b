import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { hostFingerprint } from '../../src/build/fingerprint.ts'
import { indexNamer, knownTo } from '../../src/build/known.ts'
import { readConfig } from '../../src/cli/config.ts'
import { resolveTarget } from '../../src/cli/targets.ts'
import { loadMetadata } from '../../src/metadata/load.ts'
import { graphOf } from '../../src/plan/graph.ts'
import { plan } from '../../src/plan/plan.ts'
import { Store } from '../../src/store/store.ts'

/** Path of an image of the layers here, when the user's store holds it as the recipes are now; undefined otherwise. Builds nothing. */
export async function storedImage(name: string): Promise<string | undefined> {
  const metadata = await loadMetadata(fileURLToPath(new URL('../../layers/layers.yaml', import.meta.url)))
  const id = resolveTarget(metadata, name)
  const store = await Store.open((await readConfig()).store, { emit: () => undefined, now: () => performance.now() })
  try {
    const found = plan(graphOf(metadata, [id]), [id], knownTo(store, indexNamer(hostFingerprint))).get(id)
    if (found?.state !== 'stored' || found.artifact === undefined) return undefined
    await store.tree(found.artifact)
    return join(store.treePath(found.artifact), `${name}.img`)
  } finally {
    await store.close()
  }
}
