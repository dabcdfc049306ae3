import { assumptionsFor } from "../assumptions.ts";
import { CARD_FACTS } from "../cards.ts";
import { type PlanRequest, planAic100 } from "../plan-aic100.ts";
import { FOUND_BY_TRIAL, ONE_CARD, starcoder } from "./published.ts";

/** docs/aic100-plan.md, from the planner itself. */
export function planDoc(): string {
  return [
    "# What fits a Cloud AI 100 card",
    "",
    "Made by the planner itself (`plan-doc.test.ts` keeps it so; `pnpm exec vitest run src/plan -u` in `packages/target-aic100` writes it",
    "anew). Nothing here was measured on a card: the planner counts what a model's graph needs, and goes by the figures at the end.",
    "",
    "```sh",
    "llm plan bigcode/starcoder --target aic100 --card dl2q --format mx6 --prompt-len 1 --ctx-len 8192 --batch-size max --html plan.html",
    "```",
    "",
    "## Against what was found by trial",
    "",
    "StarCoder (15B), MXFP6, single tokens, on one card of a DL2q instance. The batch sizes of the second column were found by trial",
    "on that instance and published; the planner doesn't know them. The last of them is not said to be the most that fits.",
    "",
    ...table(
      ["context", "found to fit", "planned at most", "weights", "cache", "other", "free"],
      FOUND_BY_TRIAL.map(([ctxLen, batchSize]) => {
        const { fits, maxBatchSize, devices } = plan({ ctxLen, batchSize });
        const { weights, kv, activations, reserve, free } = devices[0]!;
        return [
          `${ctxLen}`,
          `${batchSize}${fits ? "" : " (not by the plan)"}`,
          `${maxBatchSize}`,
          gigabytes(weights),
          gigabytes(kv),
          gigabytes(activations + reserve),
          gigabytes(free),
        ];
      }),
    ),
    "",
    "Where each gigabyte goes is for the batch size of the second column.",
    "",
    "## The same model on other cards",
    "",
    "Context 8192, prompts in chunks of 128. “Bound” is what memory and arithmetic allow for one sequence, in tokens a second.",
    "",
    ...table(
      ["card", "format", "cache", "sequences", "bound, decode", "bound, prompt"],
      OTHERS.map((given) => {
        const { maxBatchSize, speed } = plan({ ...given, ctxLen: 8192, promptLen: 128 });
        const { decode, prefill } = speed!;
        return [
          CARD_FACTS[given.card!].title,
          given.mxfp6 ? "MXFP6" : "fp16",
          given.mxint8 ? "MXINT8" : "fp16",
          maxBatchSize === 0 ? "none" : `${maxBatchSize}`,
          maxBatchSize === 0 ? "" : decode.most.toFixed(1),
          maxBatchSize === 0 ? "" : prefill.most.toFixed(0),
        ];
      }),
    ),
    "",
    "## What the planner goes by",
    "",
    "Each of these can be said otherwise: `--assume reserve=1.5e9,bandwidthShare=0.5`. The first rows of the table above hinge on the",
    "reserve: with 2 GiB (2.147e9) instead of 2 GB, one sequence less fits at 8192. What is printed of a card is there for Standard.",
    "",
    ...table(
      ["name", "value", "unit", "because"],
      Object.entries(assumptionsFor(CARD_FACTS.standard)).map(([name, { value, unit, why }]) => {
        return [`\`${name}\``, `${value}`, unit, why];
      }),
    ),
    "",
  ].join("\n");
}

const OTHERS: readonly Partial<PlanRequest>[] = (["standard", "pro", "ultra"] as const).flatMap((card) => [
  { card, mxfp6: false },
  { card, mxfp6: true },
  { card, mxfp6: true, mxint8: true },
]);

const graph = starcoder();

function plan(given: Partial<PlanRequest>) {
  return planAic100(graph, { ...ONE_CARD, ...given });
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)];
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}
