import * as dagre from '@dagrejs/dagre'

/** A point of a drawing, about in pixels. */
export interface Point {
  readonly x: number
  readonly y: number
}

/** A box to be drawn. */
export interface Size {
  readonly width: number
  readonly height: number
}

/** A graph with places: of boxes, their middle. */
export interface Layered extends Size {
  readonly middleOf: (node: number) => Point
  /** The way of an edge. */
  readonly pointsOf: (from: number, to: number) => readonly Point[]
}

/** The part of dagre that is used. Its own types do not resolve under Node's rules. */
interface Dagre {
  readonly Graph: new () => {
    setGraph(options: Readonly<Record<string, number | string>>): void
    setDefaultEdgeLabel(label: () => object): void
    setNode(name: string, size: Size): void
    setEdge(from: string, to: string): void
    graph(): Partial<Size>
    node(name: string): Point
    edge(from: string, to: string): { readonly points: readonly Point[] }
  }
  readonly layout: (graph: object) => void
}

const { Graph, layout } = dagre as unknown as Dagre

/** Lays boxes out in columns, each edge from left to right. */
export function layOutGraph(
  nodes: ReadonlyMap<number, Size>,
  edges: Iterable<readonly [from: number, to: number]>,
): Layered {
  const graph = new Graph()
  const gaps = { nodesep: 9, ranksep: 44, edgesep: 5, marginx: 6, marginy: 6 }
  graph.setGraph({ rankdir: 'LR', ranker: 'tight-tree', ...gaps })
  graph.setDefaultEdgeLabel(() => ({}))
  // It writes places into what it is given.
  for (const [node, size] of nodes) graph.setNode(String(node), { ...size })
  for (const [from, to] of edges) graph.setEdge(String(from), String(to))
  layout(graph)
  const { width = 0, height = 0 } = graph.graph()
  return {
    width: Number.isFinite(width) ? width : 0,
    height: Number.isFinite(height) ? height : 0,
    middleOf: (node) => graph.node(String(node)),
    pointsOf: (from, to) => graph.edge(String(from), String(to)).points,
  }
}
