import type { RecipeId } from '../../base/recipe-id.ts'
import type { DetailedRecord } from '../../image/read-record.ts'
import type { Layers } from './layers.ts'

/** A recipe as the page names it. */
export interface Name {
  readonly id: RecipeId
  /** Its number on the page. */
  readonly number: number
  readonly layer: string
  /** The layer as it stands before the name, with its slash. */
  readonly prefix: string
  readonly name: string
  readonly version: string
  /** Color of its layer: `host`, or a number from 1. */
  readonly tone: string
}

/** A layer, as legends name it. */
export interface NamedLayer {
  readonly layer: string
  readonly tone: string
}

/** Colors that page.css has. */
const TONES = 8

/** The recipes of an image, in the record's order, with a number and a color for each. */
export class Names {
  readonly all: readonly Name[]
  /** Layers, the lowest first. */
  readonly layers: readonly NamedLayer[]
  readonly #byId: ReadonlyMap<string, Name>

  constructor(record: DetailedRecord, layers: Layers | undefined) {
    const versions = new Map(record.recipes.map(({ recipe, version }) => [recipe, version]))
    for (const { recipe } of layers?.nodes ?? [])
      if (!versions.has(recipe.id)) versions.set(recipe.id, recipe.version)
    const hosts = new Set([
      ...record.recipes.flatMap(({ recipe, host }) => (host === true ? [layerOf(recipe)] : [])),
      ...(layers?.nodes ?? []).flatMap(({ recipe }) => (recipe.host ? [recipe.layer] : [])),
    ])
    const found = new Set([...versions.keys()].map(layerOf))
    const ordered = [...new Set([...(layers?.order ?? []), ...found])]
    let used = 0
    this.layers = ordered
      .filter((layer) => found.has(layer))
      .map((layer) => ({
        layer,
        tone: hosts.has(layer) ? 'host' : String((used++ % TONES) + 1),
      }))
    const tones = new Map(this.layers.map(({ layer, tone }) => [layer, tone]))
    this.all = [...versions].map(([id, version], number) => {
      const layer = layerOf(id)
      const prefix = layer === id ? '' : `${layer}/`
      const name = id.slice(prefix.length)
      return { id, number, layer, prefix, name, version, tone: tones.get(layer) ?? '1' }
    })
    this.#byId = new Map(this.all.map((name) => [name.id, name]))
  }

  /** The name of a recipe; undefined for one that is none of the image's. */
  of(id: string): Name | undefined {
    return this.#byId.get(id)
  }

  /** The names of some recipes, in the order of {@link all}. */
  some(ids: Iterable<string>): Name[] {
    const wanted = new Set(ids)
    return this.all.filter(({ id }) => wanted.has(id))
  }
}

function layerOf(id: string): string {
  return id.split('/', 1)[0] ?? id
}
