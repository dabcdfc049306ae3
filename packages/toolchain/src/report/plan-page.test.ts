import type { DevicePlan, ModelCard } from "@llm/target";
import { expect, test } from "vitest";
import { planPage } from "./plan-page.ts";

const CARD: ModelCard = {
  name: "<b>model</b>",
  architecture: "gpt2",
  vocab: 10,
  width: 4,
  blocks: 1,
  context: 8,
  parameters: 100,
};

function page(devices: readonly DevicePlan[], maxBatchSize = 3): string {
  const fits = devices.every(({ free }) => free >= 0);
  const speed = {
    decode: { most: 41.25, usual: 17.3, by: "memory" as const },
    prefill: { most: 900, by: "compute" as const },
  };
  return planPage("Chip", {
    card: CARD,
    options: {},
    notes: [],
    plan: { fits, maxBatchSize, devices, why: "weights decide", speed, assumptions: [] },
  });
}

const DEVICE: DevicePlan = {
  name: "chip 0",
  total: 16e9,
  weights: 8e9,
  kv: 2e9,
  activations: 0,
  reserve: 2e9,
  free: 4e9,
};

function widths(html: string): readonly number[] {
  return [...html.matchAll(/<rect [^>]*width="([\d.]+)"[^>]*><title>/g)].map(([, width]) => Number(width));
}

test("bars are as long as what they stand for, and end at the memory's end", () => {
  const html = page([DEVICE, { ...DEVICE, name: "chip 1", kv: 4e9, free: 2e9 }]);
  const [weights, caches, reserve, , more] = widths(html);
  expect(weights! / caches!).toBeCloseTo(4, 2);
  expect(reserve).toBe(caches);
  expect(more! / caches!).toBeCloseTo(2, 2);
  expect(html).toContain("4.00 GB free");
  expect(html).toContain("It fits, up to batch size 3.");
  expect(html).toContain("41.3");
  expect(html).not.toContain("activations</li>");
  expect(html).toContain("&lt;b&gt;model");
});

test("what doesn't fit is drawn past the end, and named", () => {
  const html = page([{ ...DEVICE, kv: 9e9, free: -3e9 }], 0);
  const [weights, caches, reserve] = widths(html);
  const end = Number(/<line class="limit" x1="([\d.]+)"/.exec(html)![1]);
  expect(170 + weights! + caches! + reserve!).toBeGreaterThan(end);
  expect(html).toContain("3.00 GB short");
  expect(html).toContain("It doesn't fit.");
});
