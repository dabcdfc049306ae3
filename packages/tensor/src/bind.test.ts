import { expect, test } from "vitest";
import { bind, requireBound } from "./bind.ts";
import { weights } from "./expr/weights.ts";
import { memorySource } from "./memory-source.ts";
import { zeros } from "./tensor.ts";

const source = memorySource({
  "wte.weight": zeros("f32", [8, 4]),
  "h.0.bias": zeros("f32", [4]),
  "h.0.attn.bias": zeros("bool", [1, 1, 4, 4]),
  "extra.weight": zeros("f32", [1]),
});
const table = weights.tensor("wte.weight", [8, 4]);

test("an alternative is chosen by what is there, at any depth", () => {
  const head = weights.permute(weights.either(weights.tensor("lm_head.weight", [8, 4]), table), [1, 0]);
  const { exprs, missing } = bind([head], source);
  expect(exprs).toEqual([weights.permute(table, [1, 0])]);
  expect(missing).toEqual([]);
});

test("missing, wrongly shaped and unused tensors are named exactly", () => {
  const binding = bind(
    [
      table,
      weights.tensor("h.0.bias", [5]),
      weights.either(weights.tensor("ln.weight", [4]), weights.tensor("norm.weight", [4])),
      weights.tensor("ln.bias", [4]),
    ],
    source,
    { harmless: [{ match: /\.attn\.bias$/, reason: "a causal mask, which attention makes itself" }] },
  );
  expect(binding.missing).toEqual([
    { name: "ln.weight", shape: [4], instead: ["norm.weight"] },
    { name: "ln.bias", shape: [4], instead: [] },
  ]);
  expect(binding.wrongShape).toEqual([{ name: "h.0.bias", expected: [5], found: [4] }]);
  expect(binding.unused).toEqual(["extra.weight"]);
  expect(binding.ignored).toEqual([{ name: "h.0.attn.bias", reason: "a causal mask, which attention makes itself" }]);
  expect(() => requireBound(binding)).toThrow("the checkpoint lacks 2 tensors: ln.weight (or norm.weight), ln.bias");
});

test("what is wrong is one line with a code", () => {
  const error = (exprs: Parameters<typeof bind>[0]) => {
    try {
      return requireBound(bind(exprs, source));
    } catch (error) {
      return error;
    }
  };
  expect(error([weights.tensor("h.0.bias", [5])])).toMatchObject({
    code: "weights-shape",
    message: "the checkpoint doesn't fit its config: h.0.bias is [4], not [5]",
  });
  expect(error([table])).toMatchObject({
    code: "weights-unused",
    message: "the model has no place for 3 tensors of the checkpoint: h.0.bias, h.0.attn.bias, extra.weight",
  });
});

test("tensors of an alternative that was not chosen are known, not unused", () => {
  const both = memorySource({ "a.weight": zeros("f32", [2]), "b.weight": zeros("f32", [2]) });
  const binding = bind([weights.either(weights.tensor("a.weight", [2]), weights.tensor("b.weight", [2]))], both);
  expect(binding.unused).toEqual([]);
});
