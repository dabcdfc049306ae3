import { readFileSync } from "node:fs";
import { join } from "node:path";
import { demoModelFolder } from "@llm/demo-model";
import type { ModelCard } from "@llm/target";
import { describe, expect, it } from "vitest";
import { referenceLogits } from "./logits.ts";
import { openModel } from "./open-model.ts";
import { openReference } from "./reference.ts";

interface Golden {
  readonly prompts: readonly {
    input_ids: number[];
    last_top8_ids: number[];
    last_top8_logits: number[];
    greedy: number[];
  }[];
}

const golden = JSON.parse(readFileSync(join(demoModelFolder, "golden.json"), "utf8")) as Golden;

describe("the reference on the bundled checkpoint", () => {
  it("has the published implementation's best logits and greedy tokens", async () => {
    const model = await openModel(demoModelFolder);
    const reference = await openReference(model, { context: model.card.context });
    for (const { input_ids, last_top8_ids, last_top8_logits, greedy } of golden.prompts) {
      const result = await referenceLogits(reference, model.card, {
        ids: Int32Array.from(input_ids),
        greedy: greedy.length,
      });
      const last = result.logits.subarray(-model.card.vocab);
      for (const [i, id] of last_top8_ids.entries()) expect(last[id]).toBeCloseTo(last_top8_logits[i]!, 3);
      expect(result.greedy).toEqual(greedy);
    }
    await model.close();
  });

  it("stops between tokens when it is told to", async () => {
    const stop = new AbortController();
    let steps = 0;
    const endless = {
      step: async () => {
        // As a signal arrives: when the event loop comes to it.
        if (++steps === 3) setImmediate(() => stop.abort());
        return [{ logits: new Float32Array(2), hidden: [] }];
      },
    };
    const card = { vocab: 2, context: 1000 } as ModelCard;
    const request = { ids: Int32Array.of(1), greedy: 500, signal: stop.signal };
    await expect(referenceLogits(endless, card, request)).rejects.toThrow("aborted");
    expect(steps).toBeLessThan(6);
  });
});
