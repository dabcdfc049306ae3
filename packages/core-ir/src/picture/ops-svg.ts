import type { Attrs, Graph, Op, Value } from "../graph.ts";
import { typeText } from "../shape.ts";
import { htmlText } from "./html-text.ts";
import { type Box, layOut } from "./layout.ts";
import { sizeText } from "./sizes.ts";

/** How an op differs from the graph before: colours its outline. */
export type Mark = "added" | "changed" | undefined;

const LINE = 15;
const CHARACTER = 6.4; // of the small monospace text
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
  const boxes: Box[] = nodes.map((node) => ({
    width: Math.max(...[node.title, ...node.lines].map((text) => text.length)) * CHARACTER + 24,
    height: 12 + LINE * (1 + node.lines.length),
    after: [...new Set(node.ins.map(({ id }) => maker.get(id)).filter((i) => i !== undefined))],
  }));
  const { places, width, height } = layOut(boxes);
  const edges = drawEdges(nodes, maker, boxes, places);
  const drawn = nodes.map((node, i) => drawNode(node, boxes[i]!, places[i]!));
  const room = 40; // labels stand out at the sides
  return `<svg class="ops" viewBox="${-room} -8 ${Math.ceil(width + 2 * room)} ${Math.ceil(height + 40)}" width="${Math.ceil(width + 2 * room)}" height="${Math.ceil(height + 40)}" role="img">${edges}${drawn.join("")}</svg>`;
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
    node.outs.forEach((out, n) => {
      const text = `${typeText(out.type)} · ${sizeText(out.type)}`;
      labels.push(
        `<text class="type" x="${f(places[i]!.x + 6)}" y="${f(bottom(i) + 12 + n * 11)}">${htmlText(text)}</text>`,
      );
    });
  });
  return lines.join("") + labels.join("");
}

function drawNode(node: Node, box: Box, { x, y }: { x: number; y: number }): string {
  const left = x - box.width / 2;
  const rows = node.lines.map(
    (line, i) => `<text class="detail" x="${f(x)}" y="${f(y + 16 + LINE * (i + 1))}">${htmlText(line)}</text>`,
  );
  return `<g class="node ${node.family}${node.mark ? ` ${node.mark}` : ""}"><title>${htmlText(node.tooltip)}</title><rect x="${f(left)}" y="${f(y)}" width="${f(box.width)}" height="${f(box.height)}" rx="5"/><text class="kind" x="${f(x)}" y="${f(y + 16)}">${htmlText(node.title)}</text>${rows.join("")}</g>`;
}

function entryNode(value: Value): Node {
  return { family: "entry", title: value.id, lines: [], tooltip: value.id, mark: undefined, outs: [value], ins: [] };
}

function opNode(op: Op, leaves: ReadonlyMap<string, string>, marks: ReadonlyMap<string, Mark>): Node {
  const own = op.ins.filter((value) => value !== null);
  const { fn } = op.attrs;
  return {
    family: FAMILIES[op.kind] ?? "each",
    title: typeof fn === "string" ? `${op.kind} ${fn}` : op.kind,
    lines: [...attrLines(op.attrs), ...own.map(({ id }) => leaves.get(id)).filter((text) => text !== undefined)],
    tooltip: `${op.outs.map(({ id }) => id).join(", ")}\n${JSON.stringify(op.attrs)}`,
    mark: marks.get(op.outs[0]!.id),
    outs: op.outs,
    ins: own.filter(({ id }) => !leaves.has(id)),
  };
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

function attrLines(attrs: Attrs): string[] {
  const parts = Object.entries(attrs)
    .filter(([name]) => name !== "fn")
    .map(([name, value]) => {
      const text = typeof value === "number" ? String(Number(value.toPrecision(5))) : JSON.stringify(value);
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
