import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TargetError } from "@llm/target";
import { afterAll, expect, test } from "vitest";
import { readScheduleFile } from "./read-schedule.ts";
import type { MeshSchedule } from "./schedule.ts";

const folder = mkdtempSync(join(tmpdir(), "llm-mesh-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, "mesh.json");

const port = (net: string, name: string) => ({ net, name });
const whole: MeshSchedule = {
  mp: 2,
  pp: 1,
  places: [
    { rank: 0, stage: 0, nets: ["decoder.rank0", "head"] },
    { rank: 1, stage: 0, nets: ["decoder.rank1"] },
  ],
  talks: [
    {
      stage: 0,
      terms: [port("decoder.rank0", "sum"), port("decoder.rank1", "sum")],
      combine: "concat",
      axis: -1,
      sizes: [4, 4],
      results: [port("head", "x")],
    },
  ],
  hands: [{ from: port("decoder.rank0", "y"), to: [port("head", "y")] }],
};

test("a schedule is read as it was written", async () => {
  writeFileSync(file, JSON.stringify(whole));
  expect(await readScheduleFile(file)).toEqual(whole);
});

const [first, second] = whole.places as [MeshSchedule["places"][number], MeshSchedule["places"][number]];
const [talk] = whole.talks as [MeshSchedule["talks"][number]];
test.each<[string, string | object, RegExp]>([
  ["cut off", JSON.stringify(whole).slice(0, 40), /is no JSON/],
  ["empty", "", /is no JSON/],
  ["null", "null", /is no object/],
  ["without sizes", { ...whole, mp: "2" }, /how many ranks/],
  ["without places", { ...whole, places: undefined }, /the 2 places of 2x1/],
  ["with no places", { ...whole, places: [] }, /the 2 places of 2x1/],
  ["with fewer places than ranks and stages", { ...whole, pp: 2 }, /the 4 places of 2x2/],
  ["with a place twice", { ...whole, places: [first, { ...second, rank: 0 }] }, /twice/],
  ["with a rank that there isn't", { ...whole, places: [first, { ...second, rank: 2 }] }, /a place has no rank/],
  ["with a place of no nets", { ...whole, places: [first, { ...second, nets: [] }] }, /a place has no rank/],
  ["with a net elsewhere", { ...whole, places: [first, { ...second, nets: ["../x"] }] }, /a place has no rank/],
  ["with a net above", { ...whole, places: [first, { ...second, nets: [".."] }] }, /a place has no rank/],
  ["without talks", { ...whole, talks: undefined }, /tell one another/],
  ["with a term too few", { ...whole, talks: [{ ...talk, terms: talk.terms.slice(1) }] }, /tell one another/],
  ["with parts of no sizes", { ...whole, talks: [{ ...talk, sizes: undefined }] }, /tell one another/],
  ["that names no net of it", { ...whole, hands: [{ from: port("none", "y"), to: [] }] }, /handed on/],
])("one that is %s is refused in a line that names it", async (_, damaged, message) => {
  writeFileSync(file, typeof damaged === "string" ? damaged : JSON.stringify(damaged));
  const error = await readScheduleFile(file).catch((reason: unknown) => reason);
  if (!TargetError.isInstance(error)) throw error;
  expect(error).toMatchObject({ code: "artefact-damaged", message: expect.stringMatching(message) });
  expect(error.message).toContain(file);
  expect(error.message).not.toContain("\n");
});

test("one that isn't there, too", async () => {
  await expect(readScheduleFile(join(folder, "none.json"))).rejects.toThrow(/none\.json can't be read \(ENOENT\)/);
});
