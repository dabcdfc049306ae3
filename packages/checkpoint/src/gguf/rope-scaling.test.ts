import { expect, test } from "vitest";
import { frequencyFactors, llama3Factors } from "./rope-scaling.ts";

const scaling = (factor: number, low: number, high: number, original: number) => ({
  factor,
  low_freq_factor: low,
  high_freq_factor: high,
  original_max_position_embeddings: original,
});

test.each([
  ["Llama 3.1", scaling(8, 1, 4, 8192), 500_000, 128],
  ["Llama 3.2", scaling(32, 1, 4, 8192), 500_000, 64],
  ["another context", scaling(8, 1, 4, 64), 20_000, 16],
  ["nothing usual", scaling(6, 2, 5, 3000), 500_000, 128],
])("the divisors of %s become llama3 scaling that gives the same divisors", (_, params, theta, dims) => {
  const factors = llama3Factors(params, theta, dims).map(Math.fround);
  const found = frequencyFactors(factors, theta, 4096);
  expect(found.rope_type).toBe("llama3");
  if (params.low_freq_factor === 1) expect(found).toMatchObject(params);
  const again = llama3Factors(found as unknown as typeof params, theta, dims);
  again.forEach((value, i) => {
    expect(value).toBeCloseTo(factors[i]!, 4);
  });
});

test("divisors of another origin stay a list", () => {
  expect(frequencyFactors([1, 3, 2, 7], 10_000, 512)).toEqual({
    rope_type: "longrope",
    type: "longrope",
    long_factor: [1, 3, 2, 7],
    short_factor: [1, 3, 2, 7],
    factor: 1,
    attention_factor: 1,
    original_max_position_embeddings: 512,
  });
});
