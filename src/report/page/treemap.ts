import { hierarchy, treemap, treemapSquarify, type HierarchyRectangularNode } from 'd3-hierarchy'
import { percent, type Rules } from './rules.ts'

/** Something that is drawn as a box, with boxes in it or without. */
export interface Box {
  readonly label: string
  /** What is said when one points at it. */
  readonly title: string
  readonly tone: string
  readonly bytes: number
  readonly size: string
  readonly boxes: readonly Box[]
}

/** A box with its place. */
export interface Tile extends Omit<Box, 'boxes' | 'bytes'> {
  readonly id: string
  readonly tiles: readonly Tile[]
}

interface Form {
  readonly width: number
  readonly height: number
}

/** Sizes in CSS pixels. Widths are nominal: the page stretches them. */
const WIDE: Form = { width: 1180, height: 560 }
const NARROW: Form = { width: 330, height: 620 }

/** Height of a group's name, in pixels; groups below twice that have no room for one. */
const HEAD = 20

/** Lays boxes out by their bytes, once for wide screens and once for narrow ones. */
export function layOut(boxes: readonly Box[], rules: Rules, wide = WIDE, narrow = NARROW): Tile[] {
  const [w, n] = [arrange(boxes, wide), arrange(boxes, narrow)]
  const tileOf = (
    at: HierarchyRectangularNode<Box>,
    other: HierarchyRectangularNode<Box>,
  ): Tile => {
    const { label, title, tone, size } = at.data
    const id = rules.add(placeOf(at, wide), placeOf(other, narrow))
    const tiles = (at.children ?? []).flatMap((child, index) => {
      const same = other.children?.[index]
      return same === undefined ? [] : [tileOf(child, same)]
    })
    return { id, label, title, tone, size, tiles }
  }
  return (w.children ?? []).flatMap((child, index) => {
    const same = n.children?.[index]
    return same === undefined ? [] : [tileOf(child, same)]
  })
}

function arrange(boxes: readonly Box[], { width, height }: Form): HierarchyRectangularNode<Box> {
  const all: Box = { label: '', title: '', tone: '', bytes: 0, size: '', boxes }
  const root = hierarchy(all, (box) => [...box.boxes])
    .sum((box) => (box.boxes.length === 0 ? box.bytes : 0))
    .sort((a, b) => (b.value ?? 0) - (a.value ?? 0))
  return treemap<Box>()
    .tile(treemapSquarify.ratio(1.3))
    .size([width, height])
    .paddingInner(1)
    .paddingTop((node) => (node.depth === 1 && hasHead(node) ? HEAD : 0))(root)
}

function hasHead({ x0, x1, y0, y1 }: HierarchyRectangularNode<Box>): boolean {
  return x1 - x0 > 2 * HEAD && y1 - y0 > 2 * HEAD
}

/** Where a tile is in its parent: in width a share of all, in height pixels. */
function placeOf(node: HierarchyRectangularNode<Box>, { width }: Form): string {
  const { x0, x1, y0, y1, parent } = node
  const [left, top, within] =
    parent === null || parent.depth === 0
      ? [x0, y0, width]
      : [x0 - parent.x0, y0 - parent.y0, parent.x1 - parent.x0]
  const pixels = (value: number): string => `${Number(value.toFixed(1))}px`
  return (
    `left:${percent(left / within)};top:${pixels(top)};` +
    `width:${percent((x1 - x0) / within)};height:${pixels(y1 - y0)}`
  )
}
