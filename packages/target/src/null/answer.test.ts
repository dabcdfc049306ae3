import { expect, it } from "vitest";
import type { WantKind } from "../session.ts";
import { openNull } from "./index.ts";

it.each<WantKind>([
  { kind: "token", sampling: { method: "greedy" } },
  { kind: "token", sampling: { method: "sample", random: Float32Array.of(0.5) } },
  { kind: "top", k: 2 },
])("where nothing is allowed, nothing is the answer: %j", async (kind) => {
  const limits = { wants: ["token", "top"], sampling: ["greedy", "sample"] } as const;
  const session = openNull({ vocab: 17, limits });
  const want = { ...kind, last: 1, allow: new Uint32Array(1) };
  const [result] = await session.step([{ slot: 0, at: 0, tokens: Int32Array.of(1), want }]);
  expect(result).toEqual(
    kind.kind === "token"
      ? { tokens: Int32Array.of(-1) }
      : {
          top: {
            ids: Int32Array.of(-1, -1),
            logits: Float32Array.of(-Infinity, -Infinity),
            logSumExp: Float32Array.of(-Infinity),
          },
        },
  );
  await session.close();
});
