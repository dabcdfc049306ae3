import type { EvalReport, VariantReport } from "../evaluate/evaluate.ts";
import { blockLines } from "./block-lines.ts";
import { htmlTable, reportPage, type Section } from "./page.ts";
import { qualityPlot } from "./quality-plot.ts";

/** What `evaluate` found, as a page: quality against size, the error of each block, all figures. */
export function evalPage(model: string, report: EvalReport): string {
  const { variants, context, stride, engine } = report;
  const tokens = variants[0]?.tokens;
  const facts = [
    `on ${engine}`,
    ...(tokens === undefined ? [] : [`${tokens} tokens in windows of ${context}, ${stride} apart`]),
    ...(variants[0]?.choices ? [`${variants[0].choices.questions} questions`] : []),
  ];
  return reportPage(`What formats cost ${model}`, facts.join(" · "), undefined, [
    ...qualitySection(variants),
    ...blocksSection(variants),
    figuresSection(variants),
  ]);
}

function qualitySection(variants: readonly VariantReport[]): Section[] {
  const points = variants.flatMap(({ name, bytes, kl }) => (kl === undefined ? [] : [{ name, bytes, kl }]));
  if (points.length === 0) return [];
  const note =
    "How far the model's next-token distribution moves from the unquantised model's, by how large its weights are. Down and left is better; no divergence at all lies on the floor.";
  return [{ title: "Quality against size", note, html: qualityPlot(points) }];
}

function blocksSection(variants: readonly VariantReport[]): Section[] {
  const series = variants.flatMap(({ name, blocks }, colour) =>
    blocks?.some(({ relative }) => relative > 0)
      ? [{ name, colour, points: blocks.map((block) => ({ name: block.name, value: block.relative })) }]
      : [],
  );
  if (series.length === 0) return [];
  const note = "Root mean square error of the stream that each block hands on, as a share of the stream.";
  return [{ title: "Error per block", note, html: blockLines(series, "relative error") }];
}

function figuresSection(variants: readonly VariantReport[]): Section {
  const hasText = variants.some(({ perplexity }) => perplexity !== undefined);
  const hasTasks = variants.some(({ choices }) => choices !== undefined);
  const percent = (share: number | undefined) => (share === undefined ? "" : `${(share * 100).toFixed(2)} %`);
  const rows = variants.map(({ name, perplexity, kl, top1Agreement, choices, bytes, bitsPerWeight }) => ({
    cells: [
      name,
      ...(hasText ? [perplexity?.toFixed(4) ?? "", kl?.toFixed(6) ?? "", percent(top1Agreement)] : []),
      ...(hasTasks ? [percent(choices?.accuracy), percent(choices?.normalisedAccuracy)] : []),
      `${(bytes / 1e6).toFixed(2)} MB`,
      bitsPerWeight.toFixed(2),
    ],
  }));
  const head = [
    "format",
    ...(hasText ? ["perplexity", "KL, nats", "same top token"] : []),
    ...(hasTasks ? ["accuracy", "by length"] : []),
    "weights",
    "bits a weight",
  ];
  return { title: "Figures", html: htmlTable(head, rows) };
}
