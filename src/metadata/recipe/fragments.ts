import type { Faults } from '../yaml/faults.ts'
import { suggestion } from '../yaml/suggest.ts'
import type { Expander } from './expander.ts'
import { listOf, type Draft } from './merge.ts'

/**
 * Names of the files that `config` lists, in their order. Faults: `missing-file` for a name that
 * is no file of the recipe, those of templates.
 */
export function fragmentsOf(draft: Draft, expander: Expander, faults: Faults): string[] {
  const files = listOf(draft, 'files').map(({ value }) => value.name)
  return listOf(draft, 'config').map((item) => {
    const before = faults.count
    const name = expander.expandItem(item)
    if (faults.count === before && !files.includes(name)) {
      const message = `Cannot use "${name}" in "config": the recipe has no such file in files/`
      const held = files.length === 0 ? 'It has no files' : `Its files: ${files.join(' ')}`
      faults.add('missing-file', message, item.at.position(), suggestion(name, files) ?? held)
    }
    return name
  })
}

/** What `{{config}}` stands for: the paths of the files in the sandbox, as words of a shell. */
export function fragmentWords(names: readonly string[]): string {
  return names.map((name) => `"$FILES/${name.replace(/["$`\\]/g, '\\$&')}"`).join(' ')
}
