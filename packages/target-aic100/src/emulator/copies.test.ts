import { readGolden } from "@llm/fixtures";
import type { Row } from "@llm/target";
import { expect, test } from "vitest";
import { aic100Target } from "../aic100-target.ts";
import { buildGolden, EMULATED } from "../testing/build-golden.ts";

test("two copies are one session with the slots of both, each as if it were alone", async () => {
  using built = await buildGolden("gpt2", { promptLen: 4, fullBatchSize: 2, ctxLen: 48, mesh: "2x1" });
  const session = await aic100Target.open(built.artefact, EMULATED);
  expect(session.limits.slots).toBe(4);
  const { prompts } = readGolden("gpt2");
  const [{ input_ids, greedy }] = prompts as readonly [(typeof prompts)[number]];
  const want = { kind: "token", last: 1, sampling: { method: "greedy" } } as const;
  const slots = [0, 3];
  const made: number[] = [];
  const { chunk } = session.limits;
  for (let at = 0; at < input_ids.length; at += chunk) {
    const tokens = Int32Array.from(input_ids.slice(at, at + chunk));
    const rows = slots.map((slot): Row => ({ slot, at, tokens, want, reach: input_ids.length }));
    const results = await session.step(rows);
    made[0] = results[0]!.tokens![0]!;
    expect(results[1]!.tokens![0]).toBe(made[0]);
  }
  for (let step = 1; step < 4; step++) {
    const at = input_ids.length + step - 1;
    const rows = slots.map((slot): Row => ({ slot, at, tokens: Int32Array.of(made.at(-1)!), want }));
    const [first, second] = await session.step(rows);
    expect(second!.tokens![0]).toBe(first!.tokens![0]);
    made.push(first!.tokens![0]!);
  }
  expect(made).toEqual(greedy.slice(0, 4));
  await session.close();

  const alone = await aic100Target.open(built.artefact, { ...EMULATED, mesh: "1x1" });
  expect(alone.limits.slots).toBe(2);
  await alone.close();
});
