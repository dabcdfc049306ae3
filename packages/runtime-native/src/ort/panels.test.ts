import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { COLUMNS, packedModel } from "../testing/packed-model.ts";
import { skipWithout } from "../testing/skip-without-addon.ts";
import { openOrt, ortAddonStatus, ortKernel } from "./open.ts";
import type { PanelsEvent } from "./session.ts";
import { type OrtArray, ortTensor } from "./tensor.ts";

let folder: string;
let model: string;
let expected: OrtArray;
let count = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "llm-panels-"));
  model = packedModel(folder);
  if (ortAddonStatus().used) expected = await answer();
});
afterAll(() => rmSync(folder, { recursive: true }));

const newPlace = () => join(folder, `kept-${count++}`);

/** What the model answers with weights that are kept in `panels`; `during` looks around while it is open. */
async function answer(panels?: string, during = () => {}, events: PanelsEvent[] = []): Promise<OrtArray> {
  const kept = panels === undefined ? {} : { panels, onPanels: (event: PanelsEvent) => events.push(event) };
  const session = await openOrt(model, { backend: "addon", threads: 2, ...kept });
  const x = ortTensor(
    "f32",
    [2, COLUMNS],
    Float32Array.from({ length: 2 * COLUMNS }, (_, i) => Math.sin(i)),
  );
  const { y } = await session.run({ x }, { y: null });
  during();
  await session.close();
  return y!.data;
}

/** Only a kernel of ours has an order of its own, and old processors run none. */
const unordered = ortAddonStatus().used && ortKernel() === undefined;

const isMapped = (file: string) => readFileSync("/proc/self/maps", "utf8").includes(file);

describe.skipIf(skipWithout(ortAddonStatus().used) || unordered || process.platform === "win32")(
  "weights in the kernels' order",
  () => {
    test("are written once, and mapped as long as the model is open", async () => {
      const place = newPlace();
      const file = join(place, "panels");
      expect(await answer(place)).toEqual(expected);
      const { ino, mtimeMs } = statSync(file);
      let mapped = false;
      const look = () => {
        mapped = isMapped(file);
      };
      expect(await answer(place, look)).toEqual(expected);
      expect(statSync(file)).toMatchObject({ ino, mtimeMs });
      expect(readdirSync(place).sort()).toEqual(["panels", "seen"]);
      if (process.platform === "linux") expect([mapped, isMapped(file)]).toEqual([true, false]);
    });

    const damages: readonly (readonly [string, (whole: Buffer) => Buffer])[] = [
      ["a flipped bit", (whole) => whole.with(1000, whole[1000]! ^ 4) as Buffer],
      ["a flipped bit at the end", (whole) => whole.with(whole.length - 40, whole.at(-40)! ^ 1) as Buffer],
      ["a flipped bit where names are", (whole) => whole.with(whole.length - 100, whole.at(-100)! ^ 1) as Buffer],
      [
        "a part that was never written",
        (whole) => Buffer.concat([whole.subarray(0, 4096), Buffer.alloc(whole.length - 4096)]),
      ],
      ["a missing end", (whole) => whole.subarray(0, whole.length - 64)],
      [
        "two parts swapped",
        (whole) => Buffer.concat([whole.subarray(64, 128), whole.subarray(0, 64), whole.subarray(128)]),
      ],
      ["nothing", () => Buffer.alloc(0)],
    ];
    test.each(damages)("are made again when the file has %s", async (_, damage) => {
      const place = newPlace();
      const file = join(place, "panels");
      await answer(place);
      const whole = readFileSync(file);
      const { atime, mtime } = statSync(file);
      chmodSync(file, 0o644);
      writeFileSync(file, damage(whole));
      utimesSync(file, atime, mtime); // as if nobody had written to it
      expect(await answer(place)).toEqual(expected);
      expect(readFileSync(file).equals(whole)).toBe(true);
    });

    test("of another model in the same place are replaced", async () => {
      const place = newPlace();
      await answer(place);
      const first = readFileSync(join(place, "panels"));
      const other = packedModel(folder, { name: "other", weight: "other codes" });
      await (await openOrt(other, { backend: "addon", panels: place })).close();
      expect(readFileSync(join(place, "panels")).equals(first)).toBe(false);
      expect(await answer(place)).toEqual(expected);
    });

    test("may be made by several at once", async () => {
      const place = newPlace();
      const answers = await Promise.all(Array.from({ length: 4 }, () => answer(place)));
      for (const one of answers) expect(one).toEqual(expected);
      expect(await answer(place)).toEqual(expected);
      expect(readdirSync(place).sort()).toEqual(["panels", "seen"]);
    });

    test("are put in order in memory where no file can be written, which is told", async () => {
      const place = join(model, "below-a-file");
      const events: PanelsEvent[] = [];
      expect(await answer(place, undefined, events)).toEqual(expected);
      expect(events).toEqual([{ kind: "unkept", reason: expect.stringMatching(`^${place}: .*[Nn]ot a directory`) }]);
    });

    test("are told of while they are made, and can't be written to afterwards", async () => {
      const place = newPlace();
      const events: PanelsEvent[] = [];
      const onPanels = (event: PanelsEvent) => events.push(event);
      const large = packedModel(folder, { name: "large", rows: 1 << 16 });
      await (await openOrt(large, { backend: "addon", threads: 1, panels: place, onPanels })).close();
      const { size, mode } = statSync(join(place, "panels"));
      const told = () => events.map((event) => (event.kind === "progress" ? event.done / event.total : 0));
      const last = () => [events.length, told().at(-1)];
      await expect.poll(last, { timeout: 20_000 }).toEqual([Math.ceil(size / 2 ** 23), 1]);
      expect(told()).toEqual(told().sort((a, b) => a - b));
      expect(mode & 0o222).toBe(0); // whoever may read it, by the umask
      rmSync(large.replace(".onnx", ".bin"));
    });

    test("are made in spite of what a process left that was ended in the middle", async () => {
      const place = newPlace();
      mkdirSync(place);
      // In a container, the one after it has the same number.
      for (let i = 0; i < 100; i++) writeFileSync(join(place, `panels.${process.pid}.${i}.part`), "left");
      await answer(place);
      expect(await answer(place)).toEqual(expected);
      expect(readdirSync(place).sort()).toEqual(["panels", "seen"]);
    });

    test.skipIf(process.platform !== "linux")("leave alone what another still writes", async () => {
      const place = newPlace();
      mkdirSync(place);
      const part = join(place, "panels.another.part");
      const other = spawn("flock", [part, "sh", "-c", "echo held; read end"]);
      try {
        await once(other.stdout, "data");
        expect(await answer(place)).toEqual(expected);
        expect(existsSync(part)).toBe(true);
      } finally {
        other.stdin.end("\n");
        await once(other, "exit");
      }
    });

    test.skipIf(process.platform !== "linux")("leave nothing behind on a disk that is full", () => {
      const place = newPlace();
      const program = `
      const { openOrt, ortTensor } = await import(${JSON.stringify(new URL("./index.ts", import.meta.url))});
      const session = await openOrt(${JSON.stringify(model)}, { backend: "addon", panels: ${JSON.stringify(place)} });
      const { y } = await session.run({ x: ortTensor("f32", [1, ${COLUMNS}]) }, { y: null });
      console.log("ran", y.data.length);`;
      // No file may grow beyond 32 kB.
      const said = execFileSync(
        "bash",
        ["-c", 'ulimit -f 32; exec "$0" --input-type=module -e "$1"', process.execPath, program],
        {
          encoding: "utf8",
        },
      );
      expect(said).toMatch(/^ran \d+/);
      expect(existsSync(place) ? readdirSync(place) : []).toEqual([]);
    });
  },
);
