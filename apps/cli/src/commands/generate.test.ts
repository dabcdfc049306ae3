import type { BatchTimings } from "@llm/toolchain";
import { describe, expect, it } from "vitest";
import { timingsLine } from "./generate.ts";

const timings: BatchTimings = {
  ttftMs: 500,
  prefillTokensPerSecond: 20,
  decodeTokensPerSecond: 8,
  totalTokensPerSecond: 4,
};
const answer = { prompt: "", text: "", tokens: [1, 2, 3], finishReason: "length" } as const;

describe("the line of figures", () => {
  it("says how fast prompts were read and answers came", () => {
    const line = timingsLine(timings, [answer, answer]);
    expect(line).toMatch(/^6 tokens · first after .+ · prefill 20\.0 tok\/s · decode 8\.0 tok\/s · total 4\.0 tok\/s$/);
  });

  it("says of a beam search what is known of one", () => {
    const line = timingsLine({ ...timings, decodeTokensPerSecond: 0 }, [{ ...answer, score: -0.5 }]);
    expect(line).toBe("3 tokens · total 4.0 tok/s");
  });

  it("says no rate of what didn't happen: of one token, nothing came after the first", () => {
    const line = timingsLine({ ...timings, decodeTokensPerSecond: 0 }, [{ ...answer, tokens: [1] }]);
    expect(line).not.toContain("decode");
  });
});
