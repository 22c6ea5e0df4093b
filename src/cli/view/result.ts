import type { MendedFile } from '../../author/mend-layers.ts'
import type { AddedSource } from '../../author/source-add.ts'
import type { Upgraded } from '../../author/upgrade.ts'
import type { WrittenPatches } from '../../author/patch-recipe.ts'
import type { BadFile, RepairPlan, Step } from '../../archive/repair/plan.ts'
import type { Fault } from '../../archive/kit/faults.ts'
import type { PackedKit } from '../../archive/kit/tar.ts'
import type { KitStatus } from '../../archive/kit/status.ts'
import type { Digest } from '../../base/digest.ts'
import type { RecipeId } from '../../base/recipe-id.ts'
import type { MirrorFault } from '../../fetch/mirror/faults.ts'
import type { Pruned } from '../../fetch/mirror/prune.ts'
import type { Checked } from '../../fetch/versions/newer.ts'
import type { ListedSource } from '../../fetch/versions/list-sources.ts'
import type { Recipe } from '../../metadata/model.ts'
import type { Present } from '../../image/write/present.ts'
import type { State } from '../../plan/plan.ts'
import type { PushedTarget } from '../../remote/push-target.ts'
import type { Origin } from '../../store/rooms.ts'
import type { NotKept } from '../../store/not-kept.ts'
import type { Finding } from '../doctor/finding.ts'
import type { Apart, Confirmation } from '../../report/receipts/confirm.ts'
import type { WrittenPapers } from '../../report/legal/legal.ts'
import type { ImageSize } from '../../report/size/size.ts'
import type { Format } from '../../report/sbom/formats.ts'
import type { Condition } from '../../verify/variations.ts'

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
      /** Who made what is stored, if another machine did. */
      readonly origin?: Origin
      /** How an action differs from its last one; for those that run. */
      readonly why?: readonly string[]
      readonly expectedMs?: number
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
  /**
   * `changes`: a package that differs between two images; its artifact is that of the newer one
   * that has it.
   */
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
      readonly sources: readonly {
        readonly source: string
        readonly files: number
        readonly bytes: number
      }[]
    }
  /** `fetch`: sources in the store. */
  | { readonly type: 'fetched'; readonly sources: number }
  /** `verify`: what differs between its two builds, and what is the same and why. */
  | { readonly type: 'conditions'; readonly conditions: readonly Condition[] }
  | {
      readonly type: 'verified'
      readonly targets: Readonly<Record<RecipeId, string>>
      readonly same: number
    }
  /** Commands that build: receipts of what ran, and the key that signed them. */
  | {
      readonly type: 'receipts'
      readonly receipts: number
      readonly file?: string
      readonly key?: string | undefined
    }
  /** `receipts`: a file, who signed it, and why it does not count where it does not. */
  | {
      readonly type: 'receipt-file'
      readonly file: string
      readonly receipts: number
      readonly key?: string | undefined
      readonly names?: string | undefined
      readonly refusal?: string | undefined
    }
  /** `receipts`: who made an artifact of the image from the same inputs. */
  | ({ readonly type: 'confirmation' } & Confirmation)
  /** `receipts`: receipts that say nothing of the image. */
  | ({ readonly type: 'apart' } & Apart)
  /** `sbom`: the bill of materials of an image is in `file`. */
  | {
      readonly type: 'sbom'
      readonly image: RecipeId
      readonly format: Format
      readonly file: string
      readonly packages: number
      readonly installed: number
      readonly sources: number
      readonly folders: number
    }
  /** `report`: a page; `changed` are recipes that are other ones now than in the image. */
  | {
      readonly type: 'report'
      readonly file: string
      readonly bytes: number
      readonly changed: readonly RecipeId[]
    }
  /** `size`: sums in bytes before compression, the largest first; `files` with `--files` only. */
  | ({
      readonly type: 'size'
      readonly fileCount: number
      readonly files: ImageSize['files'] | undefined
    } & Omit<ImageSize, 'files'>)
  /** `show`: the recipe as the planner sees it, `origins` with `--origin` only. */
  | { readonly type: 'recipe'; readonly recipe: Partial<Recipe> }
  /** `list` and `search` */
  | {
      readonly type: 'listed'
      readonly recipe: RecipeId
      readonly version: string
      readonly summary: string
      readonly image: boolean
    }
  /** `search`: no recipe has all these words. */
  | { readonly type: 'not-found'; readonly words: readonly string[] }
  /** `tree`: a line of it; `repeated` when its branches are shown further up. */
  | {
      readonly type: 'branch'
      readonly recipe: RecipeId
      readonly depth: number
      readonly repeated: boolean
    }
  /** `graph`: what a recipe is built from, and what an image holds. */
  | {
      readonly type: 'node'
      readonly recipe: RecipeId
      readonly inputs: readonly RecipeId[]
      readonly contents: readonly RecipeId[]
    }
  /**
   * `why`: how the last two actions of a recipe differ; without the artifacts when there were no
   * two.
   */
  | {
      readonly type: 'why'
      readonly recipe: RecipeId
      readonly before?: Digest
      readonly after?: Digest
      readonly why: readonly string[]
      /** Who made the last result, if another machine did. */
      readonly origin?: Origin
    }
  /**
   * `diff`: an entry of an artifact that only the second has (`+`), only the first (`-`), or that
   * differs (`~`).
   */
  | { readonly type: 'entry'; readonly mark: '+' | '-' | '~'; readonly path: string }
  | { readonly type: 'identical' }
  /** `diff`: that there is one, after the entries of artifacts. */
  | { readonly type: 'difference'; readonly difference: string }
  /** `cache keygen`: the line for `keys:`. */
  | { readonly type: 'signer'; readonly key: string }
  /** `cache push` */
  | ({ readonly type: 'pushed' } & PushedTarget)
  /** `cache pull`: a target is in the store. */
  | { readonly type: 'pulled'; readonly recipe: RecipeId; readonly artifact: Digest }
  /** `cache check`: who says the same of a stored result, whose record is missing, and where. */
  | {
      readonly type: 'checked'
      readonly recipe: RecipeId
      readonly signers: readonly string[]
      readonly missing: readonly string[]
      /** Caches with the record, but without its bytes. */
      readonly incomplete: readonly string[]
    }
  /** `cache check`: stored results, and how many of them the caches have. */
  | { readonly type: 'cache-checked'; readonly results: number; readonly shared: number }
  /** `store verify` */
  | {
      readonly type: 'damaged'
      readonly what: 'blob' | 'tree'
      readonly digest: Digest
      readonly reason: string
    }
  | { readonly type: 'sound' }
  /** `store gc` */
  | {
      readonly type: 'collected'
      readonly dryRun: boolean
      /** Whose artifacts are among the blobs, as far as that is remembered. */
      readonly recipes: readonly NotKept[]
      readonly blobs: number
      readonly trees: number
      readonly bytes: number
    }
  /** `archive repair`: what is bad and how it is repaired; with -n nothing is done. */
  | {
      readonly type: 'repair-plan'
      readonly steps: readonly Step[]
      readonly lost: readonly BadFile[]
      readonly unlisted: readonly string[]
      readonly blocks: RepairPlan['blocks']
    }
  /** `archive repair`: the kit is whole. */
  | {
      readonly type: 'repaired'
      readonly id: Digest | undefined
      readonly files: number
      /** Folder in the kit with the old bytes. */
      readonly aside: string | undefined
    }
  /** `write`: what would be written where, and what would be lost. */
  | ({
      readonly type: 'write-plan'
      readonly image: string
      readonly sha256: Digest
      /** Bytes of the image, of the disk, and of the disk's sectors. */
      readonly size: number
      readonly device: string
      readonly model: string | undefined
      readonly bytes: number
      readonly sector: number
    } & Present)
  /** `write`: the disk has the image, and gave it back. */
  | {
      readonly type: 'written'
      readonly image: string
      readonly sha256: Digest
      readonly size: number
      readonly device: string
    }
  /** `legal` */
  | ({
      readonly type: 'papers'
      readonly folder: string
      readonly image: RecipeId
    } & WrittenPapers)
  /** `edit` */
  | {
      readonly type: 'edit-tree'
      readonly recipe: RecipeId
      readonly folder: string
      readonly patches: number
    }
  /** `patch` */
  | ({ readonly type: 'patches'; readonly recipe: RecipeId } & WrittenPatches)
  /** `menuconfig` */
  | {
      readonly type: 'fragment'
      readonly recipe: RecipeId
      /** Path of the new file; undefined: nothing was changed. */
      readonly file?: string
      /** Its lines. */
      readonly options: readonly string[]
    }
  /** `upgrade` */
  | ({ readonly type: 'upgraded'; readonly recipe: RecipeId } & Upgraded)
  /** `outdated`: newer versions of a package that a recipe takes. */
  | ({ readonly type: 'outdated' } & Checked)
  /** `outdated`: how many packages. */
  | {
      readonly type: 'outdated-sum'
      readonly outdated: number
      readonly newest: number
      readonly unknown: number
    }
  /** `lint --fix`: what was done to a file, or why it stays as it is. */
  | ({ readonly type: 'mended' } & MendedFile)
  /** `source list` */
  | ({ readonly type: 'source-listed' } & ListedSource)
  /** `source add` */
  | ({ readonly type: 'source-added' } & AddedSource)
  /** `new` */
  | { readonly type: 'new'; readonly file: string }
  /** `archive create` */
  | {
      readonly type: 'kit'
      /** Or, with --tar, the file. */
      readonly folder: string
      readonly id: Digest
      readonly files: number
      /** Bytes of the bag, and of its parity. */
      readonly bytes: number
      readonly parityBytes: number
      readonly tar: PackedKit | undefined
    }
  /** `archive add-copy` */
  | {
      readonly type: 'kit-copied'
      readonly folder: string
      readonly id: Digest
      readonly bytes: number
      readonly isNoted: boolean
    }
  /** `archive status` */
  | ({ readonly type: 'kit-status'; readonly folder: string } & KitStatus)
  /**
   * `archive check`, `mirror check`, `mirror copy`: a fault, before what was found in all.
   * `mirror serve`: a file that is not sent.
   */
  | ({ readonly type: 'fault' } & (Fault | MirrorFault))
  /** `mirror create`, `mirror update`, `mirror copy` */
  | {
      readonly type: 'mirror-filled'
      readonly folder: string
      /** Files that it was to hold, and those of them that were written now. */
      readonly files: number
      readonly copied: number
      /** Files that are not right there, since nothing had their bytes. */
      readonly missing: readonly string[]
    }
  /** `mirror check` */
  | {
      readonly type: 'mirror-checked'
      readonly folder: string
      readonly whole: number
      readonly faults: number
    }
  /** `mirror prune` */
  | ({ readonly type: 'mirror-pruned'; readonly folder: string; readonly dryRun: boolean } & Pruned)
  /** `mirror serve` */
  | { readonly type: 'mirror-served'; readonly folder: string; readonly address: string }
  | {
      readonly type: 'checked'
      readonly folder: string
      readonly id: Digest | undefined
      readonly whole: number
      readonly faults: number
    }
  /** `archive restore` */
  | {
      readonly type: 'restored'
      readonly folder: string
      /** The image that it was made from, and the mirror that builds use. */
      readonly image: string
      readonly sources: string
    }
  /** `doctor` */
  | { readonly type: 'findings'; readonly findings: readonly Finding[] }
