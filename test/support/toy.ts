import { digestOf } from '../../src/base/digest.ts'
import type { Event } from '../../src/base/events.ts'
import type { RecipeId } from '../../src/base/recipe-id.ts'
import type { BuildContext, BuildOptions } from '../../src/build/build-context.ts'
import { build, type BuildResult } from '../../src/build/build.ts'
import { indexNamer } from '../../src/store/plan-view.ts'
import type { Metadata, Recipe } from '../../src/metadata/model.ts'
import { graphOf } from '../../src/plan/graph.ts'
import { Store } from '../../src/store/store.ts'

/**
 * A recipe of a toy layer; `script` is its only step. Those named `host/…` see the host, and so
 * have a shell.
 */
export function toyRecipe(id: string, script: string, more: Partial<Recipe> = {}): Recipe {
  const [layer = '', name = ''] = id.split('/')
  return {
    id: id as RecipeId,
    layer,
    name,
    version: '1',
    summary: '',
    license: 'MIT',
    host: layer === 'host',
    image: false,
    sources: [],
    patches: [],
    files: [],
    inputs: [],
    needs: [],
    contents: [],
    closure: false,
    config: [],
    env: {},
    steps: [{ name: 'build', script }],
    memory: 1 << 20,
    cost: 1,
    timeout: 60,
    origins: {},
    ...more,
  }
}

/** Metadata of toy recipes. */
export function toyMetadata(...recipes: readonly Recipe[]): Metadata {
  return {
    layers: [...new Set(recipes.map(({ layer }) => layer))],
    arch: 'x86_64',
    recipes: new Map(recipes.map((recipe) => [recipe.id, recipe])),
  }
}

/**
 * A host-layer recipe whose artifact gives the layers above it a shell and the host's static-free
 * world: a copy of what `sh` needs.
 */
export const TOOLS = toyRecipe(
  'host/tools',
  `for tool in sh mkdir cp cat sleep find touch tar patch chmod ln rm sed dirname; do
     path=$(command -v "$tool")
     mkdir -p "$OUT/usr/bin"; cp -L "$path" "$OUT/usr/bin/$tool"
     ldd "$path" | sed -n 's/.*=> \\(\\/[^ ]*\\).*/\\1/p
      s/^[^=]*\\(\\/lib64\\/ld[^ ]*\\).*/\\1/p' | while read -r lib; do
       mkdir -p "$OUT/$(dirname "$lib")"; cp -Lf "$lib" "$OUT/$lib"
     done
   done
   ln -s usr/bin "$OUT/bin"`,
)

/** A store, with what happened on it. */
export interface ToyStore {
  readonly folder: string
  readonly store: Store
  readonly events: Event[]
  readonly emit: (event: Event) => void
}

/** Opens a store in `folder`; what happens on it is kept, and handed to `onEvent` too. */
export async function toyStore(
  folder: string,
  onEvent?: (event: Event) => void,
): Promise<ToyStore> {
  const events: Event[] = []
  const emit = (event: Event): void => {
    events.push(event)
    onEvent?.(event)
  }
  return {
    folder,
    store: await Store.open(folder, { emit, now: () => performance.now() }),
    events,
    emit,
  }
}

/** Builds toy targets on a toy store, in the real sandbox. */
export async function toyBuild(
  { store, emit }: ToyStore,
  metadata: Metadata,
  targets: readonly string[],
  options: Partial<BuildOptions> = {},
  context: Partial<BuildContext> = {},
): Promise<BuildResult> {
  const ids = targets as readonly RecipeId[]
  return build(
    graphOf(metadata, ids),
    ids,
    {
      cores: 2,
      memory: 1 << 30,
      keepGoing: false,
      keepFailed: false,
      signal: new AbortController().signal,
      ...options,
    },
    {
      store,
      fetcher: { fetch: () => Promise.resolve() },
      indexName: indexNamer(() => digestOf('toy host')),
      emit,
      now: () => performance.now(),
      ...context,
    },
  )
}
