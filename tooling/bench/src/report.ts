import type { CaseResult, MetricResult } from "./harness.ts";
import type { Spread } from "./statistics.ts";

function number(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (Number.isInteger(value) || Math.abs(value) >= 1000) return value.toFixed(0);
  return value.toPrecision(3);
}

function range({ low, high }: Spread): string {
  return `[${number(low)} … ${number(high)}]`;
}

function ratio({ median, low, high }: Spread): string {
  return `${median.toFixed(2)} × [${low.toFixed(2)} … ${high.toFixed(2)}]`;
}

function claim({ better, bar, bound, limit, unit }: MetricResult): string {
  const sign = better === "lower" ? "≤" : "≥";
  const parts = [
    bound === undefined ? "" : `mean ${sign} ${bound.toFixed(2)} × at 95 %`,
    bar === undefined ? "" : `bar ${sign} ${bar.toFixed(2)} ×`,
    limit === undefined ? "" : `limit ${sign} ${limit} ${unit}`,
  ];
  return parts.filter(Boolean).join(", ");
}

/** What was claimed of all cases, and whether it held, in one table; nothing where none claims anything. */
export function renderClaims(results: readonly CaseResult[]): string {
  const rows = results.flatMap(({ name, sides, baseline, metrics }) =>
    metrics.flatMap((metric) => {
      if (metric.reached === undefined) return [];
      const ours = sides[0]!.name;
      const against = metric.ratios[ours];
      const said = `${number(metric.values[ours]!.median)} ${metric.unit}`;
      const measured = metric.bar === undefined || !against ? said : `${said}, ${ratio(against)} ${baseline}`;
      return [[name, ours, metric.key, measured, claim(metric), metric.reached ? "reached" : "NOT reached"]];
    }),
  );
  if (rows.length === 0) return "";
  const all = [["case", "of", "what", "measured", "claimed", ""], ...rows];
  const widths = all[0]!.map((_, at) => Math.max(...all.map((row) => row[at]!.length)));
  return all
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** One case as a person reads it. */
export function renderResult(result: CaseResult): string {
  const lines = [
    `${result.title} (${result.rounds} interleaved rounds, medians [quartiles], ratios against ${result.baseline})`,
  ];
  const width = Math.max(...result.sides.map((side) => side.name.length)) + 2;
  for (const metric of result.metrics) {
    lines.push(`  ${metric.key} (${metric.unit}, ${metric.better} is better)`);
    for (const [index, side] of result.sides.entries()) {
      const value = metric.values[side.name];
      if (Number.isNaN(value.median)) continue; // not measured on this side
      const cells = [`${number(value.median)} ${metric.unit} ${range(value)}`.padEnd(38)];
      if (metric.ratios[side.name]) cells.push(ratio(metric.ratios[side.name]));
      if (index === 0 && metric.reached !== undefined)
        cells.push(`${claim(metric)} ${metric.reached ? "reached" : "NOT reached"}`);
      lines.push(`    ${side.name.padEnd(width)}${cells.join("  ")}`.trimEnd());
    }
  }
  for (const side of result.sides) if (side.detail) lines.push(`  ${side.name}: ${side.detail}`);
  const { machine, load } = result;
  lines.push(
    `  ${machine.cpu}, ${machine.cores} cores, ${machine.features.join(" ") || "features unknown"}; copies ${(machine.memoryBandwidth / 1e9).toFixed(1)} GB/s; ` +
      `load ${load.before.toFixed(2)} before, ${load.after.toFixed(2)} after; Node ${machine.node}`,
  );
  return lines.join("\n");
}
