import { existsSync, linkSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { scratch } from "../testing/scratch.ts";
import { chooseEntries, removeEntries } from "./remove.ts";
import { surveyCache } from "./survey.ts";

const { folder, env } = scratch();

function put(path: string, bytes: number): string {
  const file = join(folder, "cache", path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, Buffer.alloc(bytes, 1));
  return file;
}

const blob = put("huggingface/hub/models--owner--name/blobs/abcdef0123", 40_960);
put("huggingface/hub/models--owner--name/blobs/0123456789.incomplete", 8192);
mkdirSync(join(folder, "cache/huggingface/hub/models--owner--name/snapshots/main"), { recursive: true });
symlinkSync(blob, join(folder, "cache/huggingface/hub/models--owner--name/snapshots/main/model.safetensors"));
put("llm/artefacts/name-cpu-1/manifest.json", 4096);
linkSync(blob, join(folder, "cache/llm/artefacts/name-cpu-1/weights"));
put("llm/units/onnx@1/part", 4096);
put("llm/panels/name-1/panels", 2048);

describe("the cache", () => {
  it("is listed with what each thing takes, and what all take together once", async () => {
    const { entries, bytes } = await surveyCache({ env });
    expect(entries.map(({ kind, name, bytes }) => [kind, name, bytes])).toEqual([
      ["model", "owner/name", 49_152],
      ["artefact", "name-cpu-1", 45_056],
      ["partial", "owner/name 01234567", 8192],
      ["unit", "onnx@1", 4096],
      ["panels", "name-1", 2048],
    ]);
    expect(bytes).toBe(40_960 + 8192 + 4096 + 4096 + 2048);
  });

  it("gives up what is chosen, and nothing else", async () => {
    const { entries } = await surveyCache({ env });
    expect(chooseEntries(entries, {})).toEqual([]);
    expect(() => chooseEntries(entries, { names: ["owner/nam"] })).toThrow(/nothing named owner\/nam/);
    expect(chooseEntries(entries, { olderThanDays: 1 })).toEqual([]);
    expect(chooseEntries(entries, { olderThanDays: 1 }, Date.now() + 2 * 86_400_000)).toHaveLength(5);
    await removeEntries(chooseEntries(entries, { partial: true, names: ["name-cpu-1"] }));
    const after = await surveyCache({ env });
    expect(after.entries.map(({ name }) => name)).toEqual(["owner/name", "onnx@1", "name-1"]);
    expect(existsSync(blob)).toBe(true);
    utimesSync(blob, 0, 0); // a checkpoint may well be older than its download: what counts is when it came
    expect(chooseEntries((await surveyCache({ env })).entries, { olderThanDays: 1 })).toEqual([]);
    await removeEntries(after.entries);
    expect(await surveyCache({ env })).toEqual({ entries: [], bytes: 0 });
  });

  it("knows what is remembered of runs, and what killed removals left anywhere", async () => {
    put("llm/verified/0123.json", 10);
    put("llm/verified/4567.json", 20);
    put("llm/eval/89ab.json", 5);
    const left = ["huggingface/hub", "huggingface/hub/models--o--n/blobs", "llm/artefacts", "llm/units", "llm"];
    const remains = left.map((place, i) => dirname(put(`${place}/.removed-9-${i}/part`, 100 + i)));
    const { entries, bytes } = await surveyCache({ env });
    const of = (wanted: string) => entries.filter(({ kind }) => kind === wanted);
    expect(of("note").map(({ name, bytes }) => [name, bytes])).toEqual([
      ["verified", 30],
      ["eval", 5],
    ]);
    expect(of("partial").map(({ path }) => path)).toEqual(remains.toReversed());
    expect(bytes).toBe(35 + 510);
    await removeEntries(chooseEntries(entries, { partial: true, names: ["verified"] }));
    expect((await surveyCache({ env })).entries.map(({ name }) => name)).toEqual(["eval"]);
    expect(remains.some((path) => existsSync(path))).toBe(false);
  });
});
