/** A box to be placed, by how far it reaches to both sides; `after` are indices of boxes it must lie below. */
export interface Box {
  readonly left: number;
  readonly right: number;
  readonly height: number;
  readonly after: readonly number[];
}

export interface Place {
  readonly x: number; // of the point its left and right are counted from
  readonly y: number; // of its top
  readonly layer: number;
}

export interface Layout {
  readonly places: readonly Place[];
  readonly width: number;
  readonly height: number;
}

const GAP_X = 24;
/** Room for the edges and what is written on them. */
const GAP_Y = 46;
const SWEEPS = 6;

/** Boxes in layers from top to bottom, ordered so that few edges cross, each near the boxes it belongs to. */
export function layOut(boxes: readonly Box[]): Layout {
  const layerOf: number[] = [];
  boxes.forEach((box, i) => {
    layerOf[i] = Math.max(-1, ...box.after.map((j) => layerOf[j]!)) + 1;
  });
  const layers: number[][] = [];
  layerOf.forEach((layer, i) => {
    (layers[layer] ??= []).push(i);
  });
  const below: number[][] = boxes.map(() => []);
  boxes.forEach((box, i) => {
    for (const j of box.after) below[j]!.push(i);
  });

  const x = new Array<number>(boxes.length).fill(0);
  for (const layer of layers) spread(layer, x, boxes, new Map());
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const down = sweep % 2 === 0;
    for (const layer of down ? layers : layers.toReversed()) {
      const wish = new Map(layer.map((i) => [i, middle(down ? boxes[i]!.after : below[i]!, x, x[i]!)]));
      layer.sort((a, b) => wish.get(a)! - wish.get(b)!);
      spread(layer, x, boxes, wish);
    }
  }

  const leftmost = Math.min(...boxes.map((box, i) => x[i]! - box.left), 0);
  const rightmost = Math.max(...boxes.map((box, i) => x[i]! + box.right), 0);
  const tops: number[] = [];
  let y = 0;
  for (const layer of layers) {
    tops.push(y);
    y += Math.max(...layer.map((i) => boxes[i]!.height)) + GAP_Y;
  }
  return {
    places: boxes.map((_, i) => ({ x: x[i]! - leftmost, y: tops[layerOf[i]!]!, layer: layerOf[i]! })),
    width: rightmost - leftmost,
    height: Math.max(y - GAP_Y, 0),
  };
}

/** Places a layer's boxes side by side in their order, as near as may be to where each wants to be. */
function spread(layer: readonly number[], x: number[], boxes: readonly Box[], wish: ReadonlyMap<number, number>): void {
  const want = (i: number) => wish.get(i) ?? 0;
  let edge = Number.NEGATIVE_INFINITY;
  for (const i of layer) {
    const { left, right } = boxes[i]!;
    x[i] = Math.max(want(i), edge + left);
    edge = x[i]! + right + GAP_X;
  }
  // Pushing only to the right leaves a layer lopsided: move it back by what its boxes were moved on average.
  const drift = layer.reduce((sum, i) => sum + x[i]! - want(i), 0) / layer.length;
  for (const i of layer) x[i]! -= drift;
}

function middle(of: readonly number[], x: readonly number[], otherwise: number): number {
  return of.length === 0 ? otherwise : of.reduce((sum, i) => sum + x[i]!, 0) / of.length;
}
