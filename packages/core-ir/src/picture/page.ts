import { type BlockRun, blockRuns, blockText } from "../block-classes.ts";
import type { Graph, Net, Op, Program, Value } from "../graph.ts";
import type { PassTrace } from "../pass.ts";
import { blockResults } from "../passes/expose-blocks.ts";
import { typeText } from "../shape.ts";
import { htmlText } from "./html-text.ts";
import { type Mark, opsSvg } from "./ops-svg.ts";
import { bytesText, countText, knownBytes, sizeText } from "./sizes.ts";
import { script, style } from "./style.ts";

/** One state of a program, with what it is called: "as built", or the pass that made it. */
interface Stage {
  readonly title: string;
  readonly detail: string;
  readonly program: Program;
  readonly before: Program | undefined;
}

/**
 * A page with a program as built and after every pass, to be opened in any browser: it needs nothing besides itself. Blocks are
 * folded, equal ones drawn once; types and sizes stand on the edges; what a pass added or changed is outlined.
 */
export function drawProgram(title: string, program: Program, traces: readonly PassTrace[] = []): string {
  const stages: Stage[] = [
    { title: "as built", detail: "", program: traces[0]?.before ?? program, before: undefined },
    ...traces.map(({ step, before, after }) => ({
      title: step.pass,
      detail: Object.entries(step.params ?? {})
        .map(([name, value]) => `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`)
        .join(" · "),
      program: after,
      before,
    })),
  ];
  const tabs = stages.map(
    (stage, i) =>
      `<button type="button" role="tab" data-stage="${i}" aria-selected="${i === stages.length - 1}"><b>${htmlText(stage.title)}</b>${stage.detail ? `<span>${htmlText(stage.detail)}</span>` : ""}${changesText(stage)}</button>`,
  );
  const panels = stages.map(
    (stage, i) => `<section data-panel="${i}"${i === stages.length - 1 ? "" : " hidden"}>${drawStage(stage)}</section>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${htmlText(title)}</title><style>${style}</style></head>
<body><header><h1>${htmlText(title)}</h1>${legend()}</header><main><nav role="tablist">${tabs.join("")}</nav><div class="stages">${panels.join("")}</div></main><script>${script}</script></body></html>
`;
}

function drawStage(stage: Stage): string {
  const marks = marksOf(stage);
  const { nets } = stage.program;
  return netRuns(nets)
    .map((run) => drawNet(run[0]!.graph, nets.length > 1 ? runName(run) : undefined, marks))
    .join("");
}

/** Neighbouring nets that do the same with other weights. */
function netRuns(nets: readonly Net[]): Net[][] {
  const runs: Net[][] = [];
  let last: string | undefined;
  for (const net of nets) {
    const text = blockText(net.graph, { name: "", from: 0, to: net.graph.ops.length });
    if (text === last) runs.at(-1)!.push(net);
    else runs.push([net]);
    last = text;
  }
  return runs;
}

function runName(run: readonly Net[]): string {
  return run.length === 1 ? run[0]!.id : `${run[0]!.id} … ${run.at(-1)!.id} × ${run.length}`;
}

/** What an op does, apart from sizes: a pass that only lays tokens out anew changes nothing of it. */
function meaning({ kind, ins, outs, attrs }: Op): string {
  return JSON.stringify([kind, ins.map((value) => value?.id), outs.map(({ type }) => type.dtype), attrs]);
}

function meanings(program: Program): Map<string, string> {
  return new Map(program.nets.flatMap(({ graph }) => graph.ops.map((op) => [op.outs[0]!.id, meaning(op)])));
}

/** Which ops the stage's pass added or changed, by first result. */
function marksOf({ program, before }: Stage): Map<string, Mark> {
  const marks = new Map<string, Mark>();
  if (!before) return marks;
  const earlier = meanings(before);
  for (const [id, now] of meanings(program)) {
    const was = earlier.get(id);
    if (was !== now) marks.set(id, was === undefined ? "added" : "changed");
  }
  return marks;
}

function drawNet(graph: Graph, name: string | undefined, marks: ReadonlyMap<string, Mark>): string {
  const results = blockResults(graph);
  const rows: string[] = [flow(graph.inputs, "in")];
  for (const run of blockRuns(graph)) {
    if (run.loose.length > 0) rows.push(opsCard("shared by the blocks", graph, run.loose, marks), arrow([]));
    rows.push(blockCard(graph, run, marks));
    const last = run.blocks.at(-1)!;
    if (last !== graph.blocks.at(-1)) rows.push(arrow(results.get(last.name) ?? []));
  }
  if (graph.blocks.length === 0) rows.push(opsCard("ops", graph, graph.ops, marks));
  rows.push(flow(graph.outputs, "out"));
  return `<article>${name === undefined ? "" : `<h2>${htmlText(name)}</h2>`}<p class="facts">${facts(graph)}</p><div class="flow">${rows.join("")}</div></article>`;
}

function blockCard(graph: Graph, { blocks }: BlockRun, marks: ReadonlyMap<string, Mark>): string {
  const [first] = blocks as readonly [(typeof blocks)[0]];
  const name = blocks.length === 1 ? first.name : `${first.name} … ${blocks.at(-1)!.name}`;
  return opsCard(name, graph, graph.ops.slice(first.from, first.to), marks, blocks.length);
}

function opsCard(name: string, graph: Graph, ops: readonly Op[], marks: ReadonlyMap<string, Mark>, times = 1): string {
  const used = new Set(ops.flatMap((op) => op.ins.map((value) => value?.id)));
  const weights = graph.weights.filter(({ value }) => used.has(value.id)).map(({ value }) => knownBytes(value.type));
  const bytes = weights.reduce((a, b) => a + b, 0);
  const touched = ops.filter((op) => marks.has(op.outs[0]!.id)).length;
  const notes = [
    `${ops.length} ops`,
    ...(bytes > 0 ? [`${bytesText(bytes)} of weights${times > 1 ? " each" : ""}`] : []),
    ...(touched > 0 ? [`<em>${touched} new or changed</em>`] : []),
  ];
  return `<details class="block${touched > 0 ? " touched" : ""}"><summary><b>${htmlText(name)}</b>${times > 1 ? `<i>× ${times}</i>` : ""}<span>${notes.join(" · ")}</span></summary><div class="canvas">${opsSvg(graph, ops, marks)}</div></details>`;
}

function flow(values: readonly Value[], side: "in" | "out"): string {
  const items = values.map(
    (value) =>
      `<li><b>${htmlText(value.id)}</b> <code>${htmlText(typeText(value.type))}</code> ${htmlText(sizeText(value.type))}</li>`,
  );
  const list = `<ul class="ends">${items.join("")}</ul>`;
  return side === "in" ? list + arrow([]) : arrow([]) + list;
}

function arrow(values: readonly Value[]): string {
  const label = values.map(
    (value) => `<code>${htmlText(typeText(value.type))}</code> ${htmlText(sizeText(value.type))}`,
  );
  return `<div class="arrow">${label.join("<br>")}</div>`;
}

function facts(graph: Graph): string {
  const count = graph.weights.reduce(
    (sum, { value }) => sum + value.type.shape.reduce<number>((n, d) => n * Number(d), 1),
    0,
  );
  const bytes = graph.weights.reduce((sum, { value }) => sum + knownBytes(value.type), 0);
  const states = graph.states.map(({ value }) => `${value.id} ${typeText(value.type)}`);
  const parts = [
    `${countText(count)} parameters, ${bytesText(bytes)}`,
    `${graph.ops.length} ops of ${graph.dialects.join(", ")}`,
    ...Object.entries(graph.dims).map(([symbol, { min, max }]) => `${symbol} ${min}…${max >= 2 ** 31 - 1 ? "∞" : max}`),
    ...(states.length > 0 ? [`${states.length} states, the first ${states[0]}`] : []),
  ];
  return parts.map((part) => `<span>${htmlText(part)}</span>`).join("");
}

function changesText(stage: Stage): string {
  if (!stage.before) return "";
  const marks = [...marksOf(stage).values()];
  const now = meanings(stage.program);
  const removed = [...meanings(stage.before).keys()].filter((id) => !now.has(id)).length;
  const count = (mark: Mark) => marks.filter((one) => one === mark).length;
  return `<small>+${count("added")} −${removed} ~${count("changed")} ops</small>`;
}

function legend(): string {
  const families = [
    ["multiply", "products"],
    ["attend", "attention"],
    ["norm", "norms"],
    ["each", "each value"],
    ["look-up", "look-ups"],
    ["move", "layout"],
  ];
  const items = families.map(([family, text]) => `<li class="${family}">${text}</li>`);
  return `<ul class="legend">${items.join("")}<li class="added">added by the pass</li><li class="changed">changed</li></ul>`;
}
