import { compareDocuments } from '../../plan/compare-documents.ts'
import type { CommandContext } from '../context.ts'
import { resolveTarget } from '../targets.ts'
import { describeOrigin } from '../view/format.ts'

/** `why RECIPE`: how its last two actions differ, field by field. */
export async function whyCommand(command: CommandContext, word: string): Promise<void> {
  const [metadata, store] = [await command.metadata(), await command.store()]
  const id = resolveTarget(metadata, word)
  const past = store.index.history(id).flatMap(({ name }) => store.index.find(name) ?? [])
  const [before, after] = past.slice(-2)
  const { origin } = past.at(-1) ?? {}
  const from = origin === undefined ? [] : [`  made elsewhere: ${describeOrigin(origin)}`]
  if (before === undefined || after === undefined) {
    const verb = origin === undefined ? 'built' : 'found'
    const times =
      before === undefined
        ? 'was never built on this store'
        : `was ${verb} once, from nothing stored`
    await command.result([`${id} ${times}`, ...from], {
      type: 'why',
      recipe: id,
      why: [],
      ...(origin && { origin }),
    })
    return
  }
  const differences = compareDocuments(before.document, after.document)
  const why =
    differences.length > 0 ? differences : ['the same action; the host or its compiler changed']
  const bytes =
    before.artifact === after.artifact
      ? 'same bytes'
      : `${before.artifact} became ${after.artifact}`
  await command.result([`${id}: ${bytes}`, ...why.map((line) => `  ${line}`), ...from], {
    type: 'why',
    recipe: id,
    before: before.artifact,
    after: after.artifact,
    why,
    ...(origin && { origin }),
  })
}
