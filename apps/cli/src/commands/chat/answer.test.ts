import type { ChatMessage } from "@llm/generate";
import type { Generator } from "@llm/toolchain";
import { describe, expect, it } from "vitest";
import type { Io } from "../../output/io.ts";
import { answer } from "./answer.ts";

/** A model that says one thing, of so many tokens, until it is cut; and what is seen of that. */
async function seen(tokens: number, { asked, own }: { readonly asked?: number; readonly own?: number }) {
  const answering = {
    formats: {},
    result: Promise.resolve({ finishReason: "length", tokens: Array.from({ length: tokens }, () => 1) }),
    async *[Symbol.asyncIterator]() {
      yield "so";
    },
  };
  const generator = {
    chat: () => answering,
    scheduler: { room: 100 },
    runnable: { defaults: own === undefined ? {} : { maxNewTokens: own } },
  } as unknown as Generator;
  let shown = "";
  const { signal } = new AbortController();
  const io = {
    terminal: true,
    signal,
    write: (text: string) => (shown += text),
    note: (line: string) => (shown += `[${line}]\n`),
  } as unknown as Io;
  const messages: ChatMessage[] = [{ role: "user", content: "hi" }];
  const generation = asked === undefined ? {} : { maxNewTokens: asked };
  await answer(generator, messages, { generation, variables: {}, stream: true, signal }, io);
  return shown;
}

describe("an answer that was cut", () => {
  it("is followed by a line that says so", async () => {
    expect(await seen(4, { asked: 4 })).toBe("so\n[cut after 4 tokens; --max-new-tokens allows more]\n");
  });

  it("is told whose limit it was: the user's, the checkpoint's, or that there is no more room", async () => {
    expect(await seen(4, { own: 4 })).toContain("--max-new-tokens allows more");
    expect(await seen(90, {})).toContain("where the room for them ends");
    expect(await seen(90, { asked: 5000 })).toContain("where the room for them ends");
  });
});
