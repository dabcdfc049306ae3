import { openNull } from "@llm/target/null";
import { describe, expect, it, vi } from "vitest";
import { BYTE_VOCAB, byteTokenizer } from "../testing/byte-tokenizer.ts";
import { PieceQueue } from "./generation.ts";
import { Generator } from "./generator.ts";

/** Letters only, so that each token is a piece. */
const suppressTokens = Array.from({ length: BYTE_VOCAB }, (_, id) => id).filter((id) => id < 97 || id > 122);
const long = { suppressTokens, maxNewTokens: 200 };
const short = { suppressTokens, maxNewTokens: 3 };

const open = (): Generator =>
  new Generator({ session: openNull({ slots: 2, vocab: BYTE_VOCAB }), tokenizer: byteTokenizer });

describe("a reader that leaves", () => {
  it("cancels the request, and its slot is free for others", async () => {
    const generator = open();
    const generation = generator.stream("x", long);
    for await (const piece of generation) {
      expect(piece).toMatch(/[a-z]/);
      break;
    }
    await expect(generation.result).rejects.toMatchObject({ name: "AbortError", message: /reader left/ });
    await generator.generate("y", short);
    expect(generator.scheduler.stats).toMatchObject({ running: 0, waiting: 0 });
    expect(generator.scheduler.stats.steps).toBeLessThan(20);
  });

  it("may leave before its first piece, or while it waits for one", async () => {
    const generator = open();
    const generation = generator.stream("x", long);
    const reader = generation[Symbol.asyncIterator]();
    const waiting = reader.next();
    expect(await reader.return!()).toEqual({ done: true, value: undefined });
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(await reader.next()).toEqual({ done: true, value: undefined });
    await expect(generation.result).rejects.toMatchObject({ name: "AbortError" });
  });

  it("takes nothing from a text that has ended", async () => {
    const generation = open().stream("x", short);
    const { text } = await generation.result;
    for await (const _ of generation) break;
    expect((await generation.result).text).toBe(text);
  });
});

it("a text that waited for others says how long", async () => {
  const generator = open();
  const texts = await generator.generate(["x", "y", "z"], long);
  const waited = texts.map(({ timings }) => timings.queuedMs!);
  const whole = Math.min(...texts.slice(0, 2).map(({ timings }) => timings.totalMs));
  expect(Math.max(waited[0]!, waited[1]!)).toBeLessThan(waited[2]!);
  expect(waited[2]).toBeGreaterThan(0.5 * whole); // there are two places
  for (const { timings } of texts) expect(timings.queuedMs).toBeLessThanOrEqual(timings.firstTokenMs);
});

describe("a second reader", () => {
  it("is refused, whether the first is at its end or not", async () => {
    const generation = open().stream("x", short);
    let text = "";
    for await (const piece of generation) {
      text += piece;
      expect(() => generation[Symbol.asyncIterator]()).toThrow(/can be read once only/);
    }
    expect(() => generation[Symbol.asyncIterator]()).toThrow(/can be read once only/);
    expect((await generation.result).text).toBe(text);
  });
});

describe("PieceQueue", () => {
  it("gives all pieces before the error", async () => {
    const queue = new PieceQueue();
    queue.push("a");
    queue.push("");
    queue.push("b");
    queue.end(new Error("late"));
    const got: string[] = [];
    const read = async (): Promise<void> => {
      for await (const piece of queue.iterate(() => {})) got.push(piece);
    };
    await expect(read()).rejects.toThrow("late");
    expect(got).toEqual(["a", "b"]);
  });
});

describe("generate", () => {
  it("rejects, whatever is wrong, and never throws before there is a promise", async () => {
    const generator = open();
    await expect(generator.generate("x", { topK: -1 })).rejects.toThrow(/topK/);
    await expect(generator.generate(["x", "y"], { topK: -1 })).rejects.toThrow(/topK/);
    await expect(generator.generate(["x", "y"], [{}])).rejects.toThrow("1 sets of options for 2 prompts");
  });

  it("cancels the other rows when one can't start or fails", async () => {
    const generator = open();
    const allow = (generated: Int32Array): undefined => {
      if (generated.length === 2) throw new Error("no such grammar");
    };
    await expect(generator.generate(["a", "b"], [long, { topK: -1 }])).rejects.toThrow(/topK/);
    await expect(generator.generate(["a", "b"], [long, { ...long, allow }])).rejects.toThrow("no such grammar");
    await generator.generate("c", short);
    expect(generator.scheduler.stats.steps).toBeLessThan(20);
  });

  it("says what maxLength leaves", async () => {
    await expect(open().generate("abcdef", { maxLength: 3 })).rejects.toThrow(
      "the prompt's 6 tokens leave nothing of maxLength 3",
    );
  });
});

describe("a streamer that fails at its end", () => {
  const failing = (): { put(): void; end(): void } => ({
    put: () => {},
    end: vi.fn<() => void>(() => {
      throw new Error("the pipe is shut");
    }),
  });

  it("fails its own request, for whoever waits for it", async () => {
    const streamer = failing();
    const generation = open().stream("x", { ...short, streamer });
    const read = async (): Promise<void> => {
      for await (const _ of generation);
    };
    await expect(read()).rejects.toThrow("the pipe is shut");
    await expect(generation.result).rejects.toThrow("the pipe is shut");
    expect(streamer.end).toHaveBeenCalledOnce();
  });

  it("doesn't hide what went wrong before", async () => {
    const streamer = failing();
    const stop = new AbortController();
    const text = open().generate("x", { ...long, streamer, signal: stop.signal });
    stop.abort(new Error("enough"));
    await expect(text).rejects.toThrow("enough");
    expect(streamer.end).toHaveBeenCalledOnce();
  });
});
