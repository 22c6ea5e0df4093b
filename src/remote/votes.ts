import type { Digest } from '../base/digest.ts'
import { FixpointError } from '../base/error.ts'
import type { RecipeId } from '../base/recipe-id.ts'
import type { ResultRecord } from './record.ts'

/** What one signer says of an action. */
export interface Vote {
  /** Name of the signer; undefined for a record that nobody signed. */
  readonly signer: string | undefined
  /** The cache that the record was found in, as people may read it. */
  readonly cache: string
  readonly record: ResultRecord
}

/** Who says so, for messages. */
export function nameOf({ signer, cache }: Vote): string {
  return signer === undefined ? `"${cache}"` : `${signer} (in "${cache}")`
}

/**
 * The votes for the one result that there is; none when fewer than `need` say so. Fails with
 * `signers-differ`, however few they are.
 */
export function agreed(recipe: RecipeId, votes: readonly Vote[], need: number): readonly Vote[] {
  const byArtifact = new Map<Digest, Vote>()
  for (const vote of votes) byArtifact.set(vote.record.artifact, vote)
  if (byArtifact.size > 1) {
    const said = [...byArtifact].map(([artifact, vote]) => `${nameOf(vote)} says ${artifact}`)
    throw new FixpointError(
      'signers-differ',
      `Cannot take ${recipe} from a cache: ${said.join(', ')}`,
      { facts: { recipe } },
    )
  }
  return votes.length >= need ? votes : []
}

/** Fails with `two-results` when a vote is for another result than `artifact`, which is here. */
export function requireSame(recipe: RecipeId, artifact: Digest, votes: readonly Vote[]): void {
  const other = votes.find(({ record }) => record.artifact !== artifact)
  if (other === undefined) return
  throw new FixpointError(
    'two-results',
    `Cannot accept ${recipe}: here it is ${artifact}, ${nameOf(other)} says ` +
      other.record.artifact,
    { facts: { recipe } },
  )
}
