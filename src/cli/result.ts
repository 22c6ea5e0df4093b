import type { Digest } from '../base/digest.ts'
import type { RecipeId } from '../base/events.ts'
import type { State } from '../plan/plan.ts'

/** What a command came to, as a line of JSON beside the events. */
export type Result =
  /** `build`: a target is there; `files` of an image lie in the output folder. */
  | {
      readonly type: 'target'
      readonly recipe: RecipeId
      readonly artifact: Digest
      readonly files: readonly string[]
    }
  /** `build -n`: what a build would do about a recipe. */
  | {
      readonly type: 'planned'
      readonly recipe: RecipeId
      readonly state: State
      readonly waitsFor: readonly RecipeId[]
    }
  /** `build --from`: never recorded. */
  | { readonly type: 'tainted'; readonly recipe: RecipeId; readonly artifact: Digest }
  /** `rebuild`: what was built is what the system runs from. */
  | {
      readonly type: 'rebuilt'
      readonly image: RecipeId
      /** Of the image; undefined when only some recipes were built. */
      readonly digest: Digest | undefined
      /** Bytes of the image. */
      readonly size: number
      readonly actions: number
      readonly files: readonly string[]
    }
  /** `changes`: a package that differs between two images; its artifact is that of the newer one that has it. */
  | {
      readonly type: 'changed'
      readonly recipe: RecipeId
      readonly version: string
      readonly key: Digest
      readonly artifact?: Digest | undefined
      readonly why: readonly string[]
    }
  | { readonly type: 'unchanged'; readonly same: number }
  /** `seeds`: inputs of one kind that are not source in the strict sense. */
  | {
      readonly type: 'seeds'
      readonly kind: string
      readonly why: string
      readonly sources: readonly { readonly source: string; readonly files: number; readonly bytes: number }[]
    }
  | { readonly type: 'fetched'; readonly sources: number }
  | { readonly type: 'verified'; readonly targets: Readonly<Record<RecipeId, string>>; readonly same: number }
