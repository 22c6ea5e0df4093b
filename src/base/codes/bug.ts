/** Codes of faults of the engine itself. */
export const BUG = {
  'artifact-unknown': 'An action started before one of its inputs had an artifact.',
  'not-all-run': 'A rebuild left an action out, or took an artifact from elsewhere.',
  'not-built': 'A build ended without a failure, and yet its target was not built.',
  'unknown-node': 'A recipe is missing from the graph of the build.',
  'unloaded-recipe': 'A recipe is missing from the metadata, although their check passed.',
} as const
