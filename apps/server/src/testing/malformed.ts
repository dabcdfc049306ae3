import { ENDPOINTS } from "@llm/protocol";
import { mutated, SEEDS } from "./mutate.ts";
import type { RawOptions } from "./raw-request.ts";

/** A request with something wrong in it: what goes over the wire, and the codes that are right for it. */
export interface Malformed {
  readonly kind: string;
  readonly chunks: readonly string[];
  readonly options: RawOptions;
  /** Codes that it may be answered with; undefined is no answer, of a connection that was given up. */
  readonly codes: readonly (number | undefined)[];
}

/** Longer than the server waits for headers and bodies that don't come, and than a busy machine takes for an answer. */
const PATIENCE_MS = 60_000;

const PATHS = ENDPOINTS.filter(({ method }) => method === "post").map(({ path }) => path);

type Pick = (below: number) => number;

const head = (path: string, ...more: readonly string[]): string =>
  [`POST ${path} HTTP/1.1`, "host: x", "content-type: application/json", "connection: close", ...more, "", ""].join(
    "\r\n",
  );

const framed = (path: string, body: string): string => head(path, `content-length: ${Buffer.byteLength(body)}`) + body;

const noise = (pick: Pick, length: number): string =>
  Array.from({ length }, () => String.fromCharCode(pick(256))).join("");

const KINDS: Readonly<Record<string, (pick: Pick) => Omit<Malformed, "kind">>> = {
  // Some of these are right by chance, and answered.
  "fuzzed JSON": (pick) => {
    const path = PATHS[pick(PATHS.length)];
    let body = mutated(SEEDS[path], pick);
    if (pick(3) === 0) body = mutated(body, pick);
    return { chunks: [framed(path, JSON.stringify(body))], options: {}, codes: [200, 400, 404] };
  },
  "half of some JSON": (pick) => {
    const path = PATHS[pick(PATHS.length)];
    const text = JSON.stringify(SEEDS[path]);
    return { chunks: [framed(path, text.slice(0, 1 + pick(text.length - 1)))], options: {}, codes: [400] };
  },
  "a long header": (pick) => ({
    chunks: [head("/v1/completions", `x: ${"a".repeat(20_000 + pick(200_000))}`)],
    options: {},
    codes: [431],
  }),
  "many headers": (pick) => ({
    chunks: [head("/v1/completions", ...Array(2000 + pick(4000)).fill("a-header: its-value"))],
    options: {},
    codes: [431],
  }),
  noise: (pick) => ({
    chunks: [`\x16${noise(pick, 1 + pick(400))}\r\n\r\n`],
    options: { encoding: "latin1" },
    codes: [400, 431],
  }),
  "headers that come slowly and never end": (pick) => ({
    chunks: ["POST /v1/comp", "letions HTTP/1.1\r\n", "host: x\r\n", ...Array(pick(5)).fill("x: y\r\n")],
    options: { pauseMs: 60 },
    codes: [408],
  }),
  "a body that comes slowly and never ends": (pick) => ({
    chunks: [head("/v1/completions", "content-length: 1000"), ...Array(1 + pick(5)).fill('{"a":')],
    options: { pauseMs: 60 },
    codes: [408],
  }),
  "half a request, then the end of what is sent": (pick) => {
    const whole = framed("/v1/completions", JSON.stringify(SEEDS["/v1/completions"]));
    return {
      chunks: [whole.slice(0, 1 + pick(whole.length - 1))],
      options: { halfClose: true },
      codes: [undefined, 400],
    };
  },
  "a connection that breaks": (pick) => {
    const whole = framed("/v1/completions", JSON.stringify({ model: "demo", prompt: "def f(", max_tokens: 200 }));
    return { chunks: [whole], options: { breakMs: pick(40) }, codes: [undefined] };
  },
  "two lengths": () => ({
    chunks: [head("/tokenize", "content-length: 2", "content-length: 3")],
    options: {},
    codes: [400],
  }),
  "a length and chunks": () => ({
    chunks: [`${head("/tokenize", "content-length: 5", "transfer-encoding: chunked")}0\r\n\r\n`],
    options: {},
    codes: [400],
  }),
  "a bad chunk": (pick) => ({
    chunks: [`${head("/tokenize", "transfer-encoding: chunked")}g${noise(pick, pick(20))}\r\n\r\n`],
    options: { encoding: "latin1" },
    codes: [400],
  }),
  "no such address": (pick) => ({
    chunks: [framed(`/${"x/%2e".repeat(1 + pick(30))}`, "{}")],
    options: {},
    codes: [404],
  }),
};

/** Most are about JSON: there is most that can be wrong with it, and it takes the least time. */
const JSON_SHARE = 0.6;

/** The next of a series that is the same each time. */
export function malformed(pick: Pick): Malformed {
  const kinds = Object.keys(KINDS);
  const kind = pick(1000) < JSON_SHARE * 1000 ? kinds[pick(2)] : kinds[pick(kinds.length)];
  const { chunks, options, codes } = KINDS[kind](pick);
  return { kind, chunks, options: { ms: PATIENCE_MS, ...options }, codes };
}
