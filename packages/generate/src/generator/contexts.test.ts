import type { Row, Session } from "@llm/target";
import { NULL_DEVICES, openNull } from "@llm/target/null";
import { describe, expect, it } from "vitest";
import { BYTE_VOCAB, byteTokenizer } from "../testing/byte-tokenizer.ts";
import { type Context, stackContexts } from "./contexts.ts";
import { Generator } from "./generator.ts";
import type { GenerateOptions } from "./options.ts";

/** Letters only, so that text is text. */
const suppressTokens = Array.from({ length: BYTE_VOCAB }, (_, id) => id).filter((id) => id < 97 || id > 122);
const plain = { suppressTokens, maxNewTokens: 20 };

function open(session: Session = openNull({ slots: 1, vocab: BYTE_VOCAB })): Generator {
  return new Generator({ session, tokenizer: byteTokenizer });
}

/** A session that takes adapters, and the rows it was given. */
function withAdapters(): { readonly session: Session; readonly rows: Row[] } {
  const session = openNull({ vocab: BYTE_VOCAB, limits: { adapters: 3 } });
  const rows: Row[] = [];
  const step: Session["step"] = (given) => {
    rows.push(...given);
    return session.step(given);
  };
  const { limits } = session;
  return {
    session: { specificationVersion: 1, limits, step, trim: session.trim.bind(session), close: () => session.close() },
    rows,
  };
}

describe("a context's options", () => {
  it.each(NULL_DEVICES)("end a row at a stop string, in one go and step by step: %s", async (like) => {
    const generator = open(openNull({ like, vocab: BYTE_VOCAB }));
    const { text, tokens } = await generator.generate("x", plain);
    const stop = text.slice(6, 9);
    const end = text.indexOf(stop) + stop.length;
    const context = generator.prepareContext("x", { ...plain, stop: ["never", stop] });
    const whole = await generator.generateAtOnce(context, 20);
    expect(Array.from(whole.tokens).filter((id) => id >= 0)).toEqual(tokens.slice(0, end));
    const stepped: number[] = [];
    let last: Context = context;
    for (let steps = 0; !last.rows[0]!.done && steps < 30; steps++) {
      const step = await generator.generateNextTokens(JSON.parse(JSON.stringify(last)) as Context);
      stepped.push(...step.tokens);
      last = step.context;
    }
    expect(stepped).toEqual(tokens.slice(0, end));
    expect(last).toEqual(whole.context);
  });

  it("outlive JSON, which has no -Infinity", async () => {
    const generator = open();
    const ruledOut = suppressTokens.filter((id) => id !== 5);
    const asked = { suppressTokens: ruledOut, logitBias: { 5: -Infinity }, maxNewTokens: 20, ignoreEos: true };
    const context = generator.prepareContext("x", { ...asked, sequenceBias: [[[120, 97], -Infinity]] });
    const kept = JSON.parse(JSON.stringify(context)) as Context;
    const [before, after] = [await generator.generateAtOnce(context, 20), await generator.generateAtOnce(kept, 20)];
    expect(after.tokens).toEqual(before.tokens);
    expect(after.tokens).not.toContain(5);
    const pushed = generator.prepareContext("x", {
      ...asked,
      logitBias: { 5: 1000 },
      sequenceBias: [[[120, 5], null]],
    });
    expect((await generator.generateNextTokens(pushed)).tokens[0]).not.toBe(5);
  });

  it("run each row with its adapter", async () => {
    const { session, rows } = withAdapters();
    const generator = open(session);
    const contexts = [2, undefined].map((adapter) => generator.prepareContext("x", { ...plain, adapter }));
    await generator.generateAtOnce(stackContexts(contexts), 3);
    expect(new Set(rows.map(({ adapter }) => adapter))).toEqual(new Set([2, undefined]));
  });

  it("run first what is more important", async () => {
    const generator = open();
    const order: string[] = [];
    const ask = async (name: string, priority: number): Promise<void> => {
      await generator.generateAtOnce(generator.prepareContext(name, { ...plain, priority }), 4);
      order.push(name);
    };
    await Promise.all([ask("low", 0), ask("high", 3)]);
    expect(order).toEqual(["high", "low"]);
  });

  it.each<[keyof GenerateOptions, unknown]>([
    ["streamer", { put: () => {}, end: () => {} }],
    ["onToken", () => {}],
    ["allow", () => undefined],
    ["signal", new AbortController().signal],
    ["logprobs", 1],
    ["jsonSchema", {}],
    ["form", { json: true }],
  ])("are refused by name where they can't be kept: %s", async (name, value) => {
    const generator = open();
    expect(() => generator.prepareContext("x", { [name]: value })).toThrow(`step by step takes no ${name}`);
    await generator.close();
  });
});

describe("rows that step together", () => {
  it("are cancelled when one of them can't start or fails", async () => {
    const generator = open(openNull({ slots: 2, vocab: BYTE_VOCAB }));
    const long = generator.prepareContext("x", { ...plain, maxNewTokens: 200 });
    const [row] = long.rows;
    const wrong: Context = { rows: [{ ...row!, adapter: 9 }] };
    const stuck = generator.prepareContext("x", {
      maxNewTokens: 5,
      suppressTokens: Array.from({ length: BYTE_VOCAB }, (_, id) => id),
    });
    await expect(generator.generateAtOnce(stackContexts([long, wrong]), 200)).rejects.toThrow(/no adapter 9/);
    await expect(generator.generateAtOnce(stackContexts([long, stuck]), 200)).rejects.toMatchObject({
      code: "nothing-left",
    });
    await generator.generate("y", { ...plain, maxNewTokens: 3 });
    expect(generator.scheduler.stats).toMatchObject({ running: 0, waiting: 0 });
    expect(generator.scheduler.stats.steps).toBeLessThan(20);
  });
});
