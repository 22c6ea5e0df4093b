import { expect, test } from 'vitest'
import type { RecipeId } from '../../../src/base/recipe-id.ts'
import { graphOf } from '../../../src/plan/graph.ts'
import { verifyTargets, type VerifyRequest } from '../../../src/verify/verify.ts'
import { toyMetadata, toyRecipe } from '../../support/toy.ts'

const TOOLS = 'host/tools' as RecipeId

test.each([true, false])(
  'what only host layers make is refused first, alone: %s',
  async (alone) => {
    const graph = graphOf(toyMetadata(toyRecipe(TOOLS, ':')), [TOOLS])
    // Nothing else may be asked for.
    const request = { graph, targets: [TOOLS], alone } as unknown as VerifyRequest
    await expect(verifyTargets(request)).rejects.toMatchObject({ code: 'only-host-layers' })
  },
)

test('of a graph with other layers, a host target alone is refused', async () => {
  const above = toyRecipe('product/above', ':', { inputs: [TOOLS] })
  const graph = graphOf(toyMetadata(toyRecipe(TOOLS, ':'), above), [above.id])
  const request = { graph, targets: [TOOLS], alone: true } as unknown as VerifyRequest
  await expect(verifyTargets(request)).rejects.toMatchObject({ code: 'only-host-layers' })
})
