import { goldenArrays, goldenNames, hasLegacyConfig, readGolden } from "@llm/fixtures";
import { ortAddonStatus } from "@llm/runtime-native/ort";
import type { Session } from "@llm/target";
import { describe, expect, test } from "vitest";
import { openModel } from "./open.ts";
import { CpuSession } from "./session/cpu-session.ts";
import { afterFinalNorm } from "./testing/final-norm.ts";
import { type BuiltGolden, buildGolden } from "./testing/open-golden.ts";

const names = goldenNames();
const configs = (name: string) =>
  hasLegacyConfig(name) ? (["config.json", "config.legacy.json"] as const) : (["config.json"] as const);

const addon = ortAddonStatus();
const skipped = !addon.used && process.env.LLM_TEST_REQUIRE_ALL !== "1";
const backends = skipped ? (["onnxruntime-node"] as const) : (["onnxruntime-node", "addon"] as const);
if (!addon.used && skipped) test.skip(`with the addon too: ${addon.reason}`, () => {});

/** A session whose cache starts as NaN, so that reading what was never written shows. */
async function open({ artefact }: BuiltGolden, backend: (typeof backends)[number]): Promise<CpuSession> {
  const model = await openModel(`${artefact.folder}/decoder.onnx`, { threads: 1, backend });
  const { context, width } = artefact.manifest.model;
  return new CpuSession(model, width, { slots: 2, context, chunk: context, cacheFill: Number.NaN });
}

/** Logits of every token of a prompt that comes in pieces of `chunk` tokens. */
async function promptLogits(session: Session, ids: readonly number[], chunk: number): Promise<Float32Array> {
  const all = new Float32Array(ids.length * session.limits.vocab);
  for (let at = 0; at < ids.length; at += chunk) {
    const tokens = Int32Array.from(ids.slice(at, at + chunk));
    const want = { kind: "logits", last: tokens.length } as const;
    const [result] = await session.step([{ slot: 0, at, tokens, reach: ids.length, want }]);
    all.set(result!.logits!, at * session.limits.vocab);
  }
  return all;
}

/** Hidden states of every token of a prompt, and of the last one alone beside another row's logits. */
async function checkHidden(session: Session, ids: readonly number[], expected: Float32Array): Promise<void> {
  const { width } = session.limits;
  const tokens = Int32Array.from(ids);
  const row = { at: 0, tokens };
  const [whole] = await session.step([{ ...row, slot: 0, want: { kind: "hidden", last: ids.length } }]);
  expect(whole!.hidden).toHaveLength(ids.length * width);
  const all = whole!.hidden!.slice();
  expect(worst(all, expected)).toBeLessThan(1e-3);
  const [told, mixed] = await session.step([
    { ...row, slot: 0, want: { kind: "logits", last: 1 } },
    { ...row, slot: 1, want: { kind: "hidden", last: 1 } },
  ]);
  expect(told!.logits).toHaveLength(session.limits.vocab);
  expect(worst(mixed!.hidden!, all.subarray(-width))).toBeLessThan(1e-4);
}

async function greedy(session: Session, ids: readonly number[], count: number): Promise<number[]> {
  const made: number[] = [];
  let tokens = Int32Array.from(ids);
  for (let at = 0; made.length < count; ) {
    const want = { kind: "token", sampling: { method: "greedy" }, last: 1 } as const;
    const [result] = await session.step([{ slot: 1, at, tokens, want }]);
    at += tokens.length;
    tokens = result!.tokens!.slice();
    made.push(tokens[0]!);
  }
  return made;
}

function worst(a: Float32Array, b: Float32Array): number {
  return a.reduce(
    (most, x, i) => (Number.isNaN(x) ? Number.POSITIVE_INFINITY : Math.max(most, Math.abs(x - b[i]!))),
    0,
  );
}

async function check(built: BuiltGolden, backend: (typeof backends)[number]): Promise<void> {
  const { name } = built.artefact.manifest.model;
  const session = await open(built, backend);
  const arrays = goldenArrays(name);
  for (const [i, prompt] of readGolden(name).prompts.entries()) {
    const whole = await promptLogits(session, prompt.input_ids, prompt.input_ids.length);
    const expected = arrays.get(`p${i}.logits`)!;
    expect(whole).toHaveLength(expected.length);
    expect(worst(whole, expected)).toBeLessThan(1e-3);
    for (const chunk of [1, 3])
      expect(worst(await promptLogits(session, prompt.input_ids, chunk), whole)).toBeLessThan(1e-4);
    expect(await greedy(session, prompt.input_ids, prompt.greedy.length)).toEqual(prompt.greedy);
  }
  const streams = [...arrays.keys()].filter((key) => key.startsWith("p0.hidden.")).length;
  const stream = arrays.get(`p0.hidden.${streams - 1}`)!;
  const hidden = await afterFinalNorm(name, built.graph, stream);
  await checkHidden(session, readGolden(name).prompts[0]!.input_ids, hidden);
  await session.close();
}

describe.each(names)("%s", (name) => {
  test.each(configs(name))("%s", async (file) => {
    using built = await buildGolden(name, { file });
    for (const backend of backends) await check(built, backend);
  });
});
