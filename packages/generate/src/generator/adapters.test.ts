import type { Row, Session } from "@llm/target";
import { openNull } from "@llm/target/null";
import { expect, it } from "vitest";
import { BYTE_VOCAB, byteTokenizer } from "../testing/byte-tokenizer.ts";
import { Generator } from "./generator.ts";

/** A generator with two adapters by name, and the numbers that its session's rows were given. */
function withAdapters() {
  const session = openNull({ slots: 2, vocab: BYTE_VOCAB, limits: { adapters: 2 } });
  const asked = new Set<number>();
  const watched: Session = {
    specificationVersion: 1,
    limits: session.limits,
    step(rows: readonly Row[]) {
      for (const { adapter = 0 } of rows) asked.add(adapter);
      return session.step(rows);
    },
    trim: (slot, length) => session.trim(slot, length),
    fork: (moves) => session.fork!(moves),
    close: () => session.close(),
  };
  const adapters = { formal: 1, terse: 2 };
  return { generator: new Generator({ session: watched, tokenizer: byteTokenizer, adapters }), asked };
}

const short = { maxNewTokens: 2 };

it.each<[string, (generator: Generator, adapter: string) => Promise<unknown>]>([
  ["a text", (generator, adapter) => generator.generate("x", { ...short, adapter })],
  ["one of several", (generator, adapter) => generator.generate(["x"], [{ ...short, adapter }])],
  ["beams", (generator, adapter) => generator.several("x", { ...short, adapter, numBeams: 2 })],
  [
    "a scored prompt",
    (generator, adapter) => generator.generate("xyz", { maxNewTokens: 0, promptLogprobs: 1, adapter }),
  ],
  [
    "a text step by step",
    async (generator, adapter) => {
      await generator.generateNextTokens(generator.prepareContext("x", { adapter }));
    },
  ],
])("%s is made with the adapter that is named, and no other", async (_, make) => {
  const { generator, asked } = withAdapters();
  await make(generator, "terse");
  expect([...asked]).toEqual([2]);
  await generator.close();
});

it("a number is the session's own, no name is no adapter, and a name that nobody gave is refused with those there are", async () => {
  const { generator, asked } = withAdapters();
  await generator.generate("x", { ...short, adapter: 1 });
  expect([...asked]).toEqual([1]);
  asked.clear();
  await generator.generate("y", short);
  expect([...asked]).toEqual([0]);
  await expect(generator.generate("x", { adapter: "toString" })).rejects.toThrow(
    "there is no adapter toString; there is: formal, terse",
  );
  await expect(generator.embed(["x"], { adapter: "loud" })).rejects.toThrow("no adapter loud");
  await generator.close();
});
