import { parentPort, workerData } from "node:worker_threads";
import { randomOf } from "./random.ts";

/** What the clients are to ask, and what each answer is when it is asked for alone. */
export interface LoadPlan {
  readonly address: string;
  readonly clients: number;
  readonly seconds: number;
  readonly cases: readonly { readonly body: object; readonly text: string }[];
  /** The share of answers whose readers leave in the middle. */
  readonly leaving: number;
}

export interface LoadResult {
  readonly answers: number;
  readonly left: number;
  /** Answers that were not what they are alone. */
  readonly wrong: number;
  /** Answers that were refused or broke off. */
  readonly failed: readonly string[];
  readonly firstTokenMs: readonly number[];
}

const { address, clients, seconds, cases, leaving } = workerData as LoadPlan;
const tally = { answers: 0, left: 0, wrong: 0, failed: [] as string[], firstTokenMs: [] as number[] };

/** A slow machine goes on until there is something to judge. */
const enough = (): boolean => tally.answers > clients / 2 || tally.wrong + tally.failed.length > 0;

async function client(number: number, until: number): Promise<void> {
  const random = randomOf(number * 7919);
  while (Date.now() < until || !enough()) {
    const { body, text } = cases[Math.floor(random() * cases.length)];
    const leaveAt = random() < leaving ? Math.floor(random() * text.length) : Number.POSITIVE_INFINITY;
    try {
      const said = await ask(body, leaveAt);
      if (leaveAt !== Number.POSITIVE_INFINITY) tally.left++;
      else if (said === text) tally.answers++;
      else tally.wrong++;
      if (!text.startsWith(said)) tally.wrong++;
    } catch (error) {
      tally.failed.push(String(error));
    }
  }
}

/** Reads a streamed answer, up to so many characters. */
async function ask(body: object, leaveAt: number): Promise<string> {
  const began = performance.now();
  const leave = new AbortController();
  const response = await fetch(`${address}/v1/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...body, stream: true }),
    signal: leave.signal,
  });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  let [said, rest, done] = ["", "", false];
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    if (said === "") tally.firstTokenMs.push(performance.now() - began);
    const events = (rest + chunk).split("\n\n");
    rest = events.pop()!;
    for (const event of events.filter((each) => each.startsWith("data: "))) {
      if (event === "data: [DONE]") done = true;
      else said += textOf(JSON.parse(event.slice("data: ".length)));
    }
    if (said.length < leaveAt) continue;
    leave.abort();
    return said;
  }
  if (!done) throw new Error(`the stream broke off after ${JSON.stringify(said)}`);
  return said;
}

function textOf(chunk: { readonly choices?: readonly { readonly text: string }[]; readonly error?: object }): string {
  if (chunk.error) throw new Error(JSON.stringify(chunk.error));
  return chunk.choices?.[0]?.text ?? "";
}

const until = Date.now() + seconds * 1000;
await Promise.all(Array.from({ length: clients }, (_, number) => client(number, until)));
parentPort!.postMessage(tally satisfies LoadResult);
