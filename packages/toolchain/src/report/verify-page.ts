import type { BlockReport, VerifyReport } from "../verify.ts";
import { blockBars } from "./block-bars.ts";
import { htmlTable, reportPage } from "./page.ts";

/** What `verify` found, as a page that shows at a glance where an error begins. */
export function verifyPage(model: string, target: string, report: VerifyReport): string {
  const { blocks, logits, runner, tokens, ok, seconds } = report;
  const all = [...blocks, { name: "logits", ...logits }];
  const first = all.find((one) => !one.ok);
  const facts = `target ${target} on ${runner} · ${tokens} tokens · ${seconds.toFixed(1)} s`;
  const verdict = ok
    ? { ok, text: "Every block computes what the reference does, as far as its precision allows." }
    : { ok, text: `The export differs from what it is compared with, first in ${first!.name}.` };
  const bars = all.map((one) => ({ name: one.name, share: one.maxAbs / one.allowed, ok: one.ok }));
  return reportPage(`${model}: export against reference`, facts, verdict, [
    {
      title: "Error per block",
      note: "The largest difference in what each block hands on, as a share of what the precision allows. Errors go on from block to block: where the bars step up is where one begins.",
      html: blockBars(bars),
    },
    {
      title: "Figures",
      note: `The same best token after ${(logits.top1Agreement * 100).toFixed(0)} % of the tokens.`,
      html: htmlTable(["block", "MSE", "max abs", "allowed", "cosine", ""], all.map(row)),
    },
  ]);
}

function row({ name, mse, maxAbs, allowed, cosine, ok }: BlockReport) {
  const cells = [name, mse.toExponential(2), maxAbs.toExponential(2), allowed.toExponential(2), cosine.toFixed(8)];
  return { cells: [...cells, ok ? "✓" : "✗"], bad: !ok };
}
