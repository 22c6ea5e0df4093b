import { z } from 'zod'
import { described, field, text } from './field.ts'
import { layerFolder, layerName, machineName } from './texts.ts'

/** `layers.yaml` */
export const layersSchema = z.strictObject({
  include: field(z.string().min(1, { error: 'must be a path' }).optional(), {
    description:
      "Another `layers.yaml`, relative to this file, whose layers come before this file's.",
  }),
  machine: field(machineName.optional(), {
    description:
      'Machine to build for: a file `machines/NAME.yaml`. Default: that of the included file.',
  }),
  'host-layers': field(z.array(layerName).optional(), {
    description:
      "Layers whose sandbox sees the host's `/usr`; never in a file that includes another.",
  }),
  layers: field(z.array(layerFolder), {
    description: described(
      'Folders of recipes, in order: `NAME` beside this file, or `../NAME` beside its folder. A',
      'recipe may name recipes of its own layer or of earlier ones.',
    ),
  }),
})

/** `machines/NAME.yaml` */
export const machineSchema = z.record(
  text("a value's name: lower-case letters, digits and -", /^[a-z][a-z0-9-]{0,99}$/),
  // A template may hold it a hundred times.
  z.string().max(4096, { error: 'must have at most 4096 characters' }),
)

/** What layers.yaml holds. */
export type LayersText = z.infer<typeof layersSchema>
