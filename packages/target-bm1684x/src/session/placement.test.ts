import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openBmrt } from "@llm/runtime-native/bmrt";
import { type Row, SessionError } from "@llm/target";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { FAMILIES } from "../testing/families.ts";
import { interpreted } from "../testing/interpreted.ts";
import { optionsOf } from "../testing/options.ts";
import { randomModel } from "../testing/random-model.ts";
import { missingStandIn, standIn, standInBmodel } from "../testing/stand-in.ts";
import { Bm1684xSession } from "./bm1684x-session.ts";
import { findLayout } from "./find-layout.ts";
import { listedRoles } from "./roles.ts";

const missing = missingStandIn();

/** The numbers that the first chip's device has, the second's, and so on. */
const DEVICES = [3, 1, 0, 2];

interface Traffic {
  readonly launched: readonly string[];
  /** Bytes that came from the host. */
  readonly told: number;
}

describe.skipIf(missing)(
  `a model on devices of a stand-in for the vendor's libraries${missing ? `: ${missing}` : ""}`,
  () => {
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), "llm-placement-"));
    });
    afterAll(() => rmSync(folder, { recursive: true }));
    afterEach(() => vi.unstubAllEnvs());

    /** The same nets on the stand-in and on devices that interpret them. */
    async function open(mesh: string) {
      const options = optionsOf({ ctxLen: 8, mesh, batchSize: 2 });
      const { session: other, bmrt: oracle } = await interpreted(randomModel(FAMILIES.gpt_bigcode!, 2), options);
      const devices = DEVICES.slice(0, oracle.devices);
      const log = join(mkdtempSync(join(folder, "run-")), "traffic");
      vi.stubEnv("STAND_IN_DEVICES", String(DEVICES.length));
      vi.stubEnv("STAND_IN_TRAFFIC", log);
      const bmrt = await openBmrt({ libraries: standIn(folder), devices });
      const nets = [];
      for (const chip of devices.keys())
        nets.push(await bmrt.load(chip, standInBmodel(folder, `${mesh}.${chip}`, await oracle.load(chip))));
      const session = await Bm1684xSession.open(bmrt, findLayout(nets, listedRoles(oracle.list)), options.batchSize);
      let seen = 0;
      /** By chip, what happened since this was asked last. */
      const traffic = (): readonly Traffic[] => {
        const lines = readFileSync(log, "utf8").trim().split("\n").slice(seen);
        seen += lines.length;
        const events = lines.map((line) => line.split(" ") as [device: string, what: string, detail: string]);
        return devices.map((number) => {
          const own = events.filter(([device]) => Number(device) === number);
          const details = (kind: string) => own.filter(([, what]) => what === kind).map(([, , detail]) => detail);
          return { launched: details("launch"), told: details("in").reduce((sum, bytes) => sum + Number(bytes), 0) };
        });
      };
      traffic();
      return { session, other, oracle, traffic };
    }

    const row = (slot: number, at: number, tokens: readonly number[]): Row => ({
      slot,
      at,
      tokens: Int32Array.from(tokens),
      want: { kind: "token", last: 1, sampling: { method: "greedy" } },
    });

    test.each(["1x4", "1x2", "1x1x2"])(
      "%s: nets run on their devices, which are told what was planned",
      async (mesh) => {
        const { session, other, oracle, traffic } = await open(mesh);
        const calls = [
          { given: row(0, 0, [5, 9, 3]), stage: /^(embedding|block_\d|lm_head|greedy)/, places: 8, tokens: 8 },
          { given: row(0, 3, [7]), stage: /^(embedding|block_cache|lm_head|greedy)/, places: 9, tokens: 1 },
        ];
        for (const { given, stage, places, tokens } of calls) {
          oracle.told.fill(0);
          await other.step([given]);
          await session.step([given]);
          traffic().forEach(({ launched, told }, chip) => {
            const listed = oracle.list.nets.filter(({ name, device }) => device === chip && stage.test(name));
            expect(launched).toEqual([...new Set(listed.map(({ name }) => name))]);
            const mask = 4 * places * tokens;
            const ids = chip === 0 ? 2 * 4 * tokens : 0; // with positions, which only the embedding looks at
            expect(told, `chip ${chip}`).toBe(oracle.told[chip]! + mask + ids);
          });
        }
        await session.close();
        await other.close();
      },
    );

    test.each([
      // The embedding is launched first, then the first parts of all chips.
      ["bmrt_launch_tensor_ex:4", "device 0: the launch of block_0_part0_chip2 failed"],
      // Of the terms of the first sum; the copies of what the embedding made are three.
      ["bm_memcpy_d2s_partial_offset:5", "device 1: bm_memcpy_d2s_partial_offset failed: data error (6)"],
    ])("a device whose %s call fails is named, and loses the slots of its step", async (fail, message) => {
      vi.stubEnv("STAND_IN_FAIL", fail);
      const { session, other } = await open("1x4");
      const error = await session.step([row(1, 0, [5, 9, 3])]).catch((thrown: unknown) => thrown);
      expect(SessionError.isInstance(error) && error).toMatchObject({ code: "device", message, lost: [1] });
      const [result] = await session.step([row(0, 0, [5, 9, 3])]);
      expect(result!.tokens).toHaveLength(1);
      await expect(session.step([row(1, 3, [7])])).rejects.toMatchObject({ code: "gap" });
      await session.close();
      await other.close();
    });
  },
);
