import type { Attr, Attrs, Graph, Op, Value } from "../graph.ts";
import { typeText } from "../shape.ts";
import { htmlText } from "./html-text.ts";
import { type Box, layOut } from "./layout.ts";
import { sizeText } from "./sizes.ts";

/** How an op differs from the graph before: colours its outline. */
export type Mark = "added" | "changed" | undefined;

const LINE = 15;
const CHARACTER = 6.4; // of the small monospace text
const LABEL_X = 7; // from an edge to its label
const EDGE = 8;
const FAMILIES: Readonly<Record<string, string>> = {
  attention: "attend",
  latent_attention: "attend",
  softmax: "attend",
  linear: "multiply",
  matmul: "multiply",
  experts: "multiply",
  embed: "look-up",
  gather: "look-up",
  scatter: "look-up",
  pick: "look-up",
  route: "look-up",
  topk: "look-up",
  norm: "norm",
  reduce: "norm",
  reshape: "move",
  transpose: "move",
  expand: "move",
  concat: "move",
  split: "move",
  slice: "move",
  pad: "move",
  cast: "move",
};

interface Node {
  readonly family: string;
  readonly title: string;
  readonly lines: readonly string[];
  readonly tooltip: string;
  readonly mark: Mark;
  readonly outs: readonly Value[];
  readonly ins: readonly Value[];
}

/** Ops as an SVG drawing: boxes in layers, weights and states written in them, types and sizes on the edges. */
export function opsSvg(graph: Graph, ops: readonly Op[], marks: ReadonlyMap<string, Mark>): string {
  const leaves = leafTexts(graph);
  const made = new Set(ops.flatMap((op) => op.outs.map(({ id }) => id)));
  const entering = new Map<string, Value>();
  for (const op of ops)
    for (const value of op.ins)
      if (value && !made.has(value.id) && !leaves.has(value.id)) entering.set(value.id, value);
  const nodes: Node[] = [...[...entering.values()].map(entryNode), ...ops.map((op) => opNode(op, leaves, marks))];
  const maker = new Map<string, number>();
  nodes.forEach((node, i) => {
    for (const { id } of node.outs) maker.set(id, i);
  });
  const widths = nodes.map(
    (node) => Math.max(...[node.title, ...node.lines].map(({ length }) => length)) * CHARACTER + 24,
  );
  const boxes: Box[] = nodes.map((node, i) => ({
    left: widths[i]! / 2,
    right: Math.max(widths[i]! / 2, ...node.outs.flatMap(labelOf).map((text) => text.length * CHARACTER + LABEL_X)),
    height: 12 + LINE * (1 + node.lines.length),
    after: [...new Set(node.ins.map(({ id }) => maker.get(id)).filter((i) => i !== undefined))],
  }));
  const { places, width, height } = layOut(boxes);
  const edges = drawEdges(nodes, maker, boxes, places);
  const drawn = nodes.map((node, i) => drawNode(node, widths[i]!, boxes[i]!.height, places[i]!));
  const size = `width="${Math.ceil(width) + 2 * EDGE}" height="${Math.ceil(height) + 40}"`;
  const view = `viewBox="${-EDGE} ${-EDGE} ${Math.ceil(width) + 2 * EDGE} ${Math.ceil(height) + 40}"`;
  return `<svg class="ops" ${view} ${size} role="img">${edges}${drawn.join("")}</svg>`;
}

/** What is written beside an edge's beginning. */
function labelOf({ type }: Value): readonly string[] {
  return [typeText(type), sizeText(type)];
}

function drawEdges(
  nodes: readonly Node[],
  maker: ReadonlyMap<string, number>,
  boxes: readonly Box[],
  places: readonly { x: number; y: number; layer: number }[],
): string {
  const lines: string[] = [];
  const labels: string[] = [];
  const bottom = (i: number) => places[i]!.y + boxes[i]!.height;
  nodes.forEach((node, to) => {
    for (const value of new Set(node.ins)) {
      const from = maker.get(value.id);
      if (from === undefined) continue;
      const [x1, y1, x2, y2] = [places[from]!.x, bottom(from), places[to]!.x, places[to]!.y];
      const far = places[to]!.layer - places[from]!.layer > 1;
      const bend = Math.max(18, (y2 - y1) * (far ? 0.3 : 0.5));
      lines.push(
        `<path class="edge${far ? " far" : ""}" d="M${f(x1)} ${f(y1)}C${f(x1)} ${f(y1 + bend)} ${f(x2)} ${f(y2 - bend)} ${f(x2)} ${f(y2)}"><title>${htmlText(`${value.id}: ${typeText(value.type)}`)}</title></path>`,
      );
    }
  });
  nodes.forEach((node, i) => {
    const rows = node.outs.length > 1 ? node.outs.map((out) => labelOf(out).join(" · ")) : node.outs.flatMap(labelOf);
    rows.forEach((text, n) => {
      labels.push(
        `<text class="type" x="${f(places[i]!.x + LABEL_X)}" y="${f(bottom(i) + 12 + n * 11)}">${htmlText(text)}</text>`,
      );
    });
  });
  return lines.join("") + labels.join("");
}

function drawNode(node: Node, width: number, height: number, { x, y }: { x: number; y: number }): string {
  const left = x - width / 2;
  const rows = node.lines.map(
    (line, i) => `<text class="detail" x="${f(x)}" y="${f(y + 16 + LINE * (i + 1))}">${htmlText(line)}</text>`,
  );
  return `<g class="node ${node.family}${node.mark ? ` ${node.mark}` : ""}"><title>${htmlText(node.tooltip)}</title><rect x="${f(left)}" y="${f(y)}" width="${f(width)}" height="${f(height)}" rx="5"/><text class="kind" x="${f(x)}" y="${f(y + 16)}">${htmlText(node.title)}</text>${rows.join("")}</g>`;
}

function entryNode(value: Value): Node {
  return { family: "entry", title: value.id, lines: [], tooltip: value.id, mark: undefined, outs: [value], ins: [] };
}

function opNode(op: Op, leaves: ReadonlyMap<string, string>, marks: ReadonlyMap<string, Mark>): Node {
  const own = op.ins.filter((value) => value !== null);
  return {
    family: FAMILIES[op.kind] ?? "each",
    title: titleOf(op),
    lines: [...attrLines(op.attrs), ...own.map(({ id }) => leaves.get(id)).filter((text) => text !== undefined)],
    tooltip: `${op.outs.map(({ id }) => id).join(", ")}\n${JSON.stringify(op.attrs)}`,
    mark: marks.get(op.outs[0]!.id),
    outs: op.outs,
    ins: own.filter(({ id }) => !leaves.has(id)),
  };
}

/** "add" says enough; "reduce max" needs both words. */
function titleOf({ kind, attrs: { fn } }: Op): string {
  if (typeof fn !== "string") return kind;
  return ["binary", "unary", "compare", "activation"].includes(kind) ? fn : `${kind} ${fn}`;
}

/** Weights, states and constants belong to the op that reads them. */
function leafTexts(graph: Graph): Map<string, string> {
  const texts = new Map<string, string>();
  const text = ({ id, type }: Value) => `${id} [${type.shape.join(", ")}] ${sizeText(type)}`;
  for (const { value, expr } of graph.weights)
    texts.set(value.id, `${text(value)}${expr.op === "encode" ? ` as ${expr.format.format}` : ""}`);
  for (const { value } of graph.states) texts.set(value.id, `⟳ ${text(value)}`);
  for (const { value, data } of graph.constants)
    texts.set(
      value.id,
      data.shape.length === 0 ? `= ${Number(data.data[0]).toPrecision(4)}` : `constant [${data.shape.join(", ")}]`,
    );
  return texts;
}

const LONGEST = 46;

function attrText(value: Attr | undefined): string {
  if (typeof value === "number") return String(Number(value.toPrecision(5)));
  if (Array.isArray(value)) return `[${value.map(attrText).join(", ")}]`;
  return typeof value === "string" ? value : JSON.stringify(value);
}

function attrLines(attrs: Attrs): string[] {
  const parts = Object.entries(attrs)
    .filter(([name]) => name !== "fn")
    .map(([name, value]) => {
      const text = attrText(value);
      return `${name} ${text.length > LONGEST - 12 ? `${text.slice(0, LONGEST - 14)}…` : text}`;
    });
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + part.length < LONGEST) lines[lines.length - 1] = `${last} · ${part}`;
    else lines.push(part);
  }
  return lines;
}

const f = (x: number): string => String(Math.round(x * 10) / 10);
