import { describe, expect, it } from "vitest";
import type { EvalReport } from "../evaluate/evaluate.ts";
import type { VerifyReport } from "../verify.ts";
import { linearScale, logScale, tickText } from "./axes.ts";
import { evalPage } from "./eval-page.ts";
import { verifyPage } from "./verify-page.ts";

const block = (name: string, maxAbs: number) => ({
  name,
  mse: 0,
  maxAbs,
  cosine: 1,
  allowed: 1e-3,
  ok: maxAbs <= 1e-3,
});

describe("the page of a verification", () => {
  const report = (...errors: number[]): VerifyReport => {
    const blocks = errors.map((error, i) => block(`block_${i}`, error));
    const ok = blocks.every((one) => one.ok);
    return {
      runner: "onnxruntime",
      tokens: 4,
      blocks,
      logits: { ...block("", 1e-5), top1Agreement: 1 },
      ok,
      seconds: 1,
    };
  };

  it("shows where an error begins", () => {
    const page = verifyPage("m", "CPU", report(1e-6, 1e-6, 0.5, 0.6));
    expect(page).toContain("first in block_2");
    expect(page).toContain(">begins in block_2<");
    expect(page.match(/<rect class="bad"/g)).toHaveLength(2);
  });

  it("shows that there is none", () => {
    const page = verifyPage("m", "CPU", report(1e-6, 0));
    expect(page).not.toContain("begins in");
    expect(page).not.toContain('<rect class="bad"');
  });

  it("draws what is not a number as past everything", () => {
    expect(verifyPage("m", "CPU", report(Number.NaN))).toContain("block_0: not a number");
  });
});

describe("the page of an evaluation", () => {
  const variant = (name: string, bytes: number, kl: number) => {
    const figures = { tokens: 9, perplexity: 3, kl, top1Agreement: 0.9, basePerplexity: 2.9, bitsPerWeight: 8 };
    return { name, options: {}, bytes, ...figures, blocks: [{ name: "block_0", relative: kl }] };
  };
  const report: EvalReport = {
    engine: "cpu",
    context: 8,
    stride: 8,
    seconds: 1,
    peakRssBytes: 0,
    variants: [variant("fp32", 4e6, 0), variant("a<b>&", 1e6, 0.1)],
  };

  it("places formats by size and divergence, the smaller and worse further left and up", () => {
    const page = evalPage("m", report);
    const [exact, rough] = [...page.matchAll(/<circle class="dot" cx="([\d.]+)" cy="([\d.]+)" r="6"/g)].map(
      ([, x, y]) => ({ x: Number(x), y: Number(y) }),
    );
    expect(rough!.x).toBeLessThan(exact!.x);
    expect(rough!.y).toBeLessThan(exact!.y); // upwards is less
  });

  it("takes no name for markup", () => {
    const page = evalPage("<script>", report);
    expect(page).not.toContain("<b>&<");
    expect(page).not.toContain("<script>");
  });
});

describe("scales", () => {
  it("cover what they are made for", () => {
    const log = logScale([0, 3e-4, 0.02], 100, 0);
    expect(log.ticks.map(tickText)).toEqual(["1e-4", "1e-3", "0.01", "0.1"]);
    expect(log.place(0)).toBe(100);
    const linear = linearScale([7, 93], 0, 10);
    expect(linear.ticks).toEqual([0, 20, 40, 60, 80, 100]);
    expect(linear.place(93)).toBeLessThan(10);
  });
});
