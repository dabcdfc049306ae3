import type { CliOption } from "./option.ts";

/** Options of `llm serve` alone. */
export interface ServeOptionValues {
  host: string;
  port: number;
  slots: number;
  also: readonly string[];
  alias: readonly string[];
  adapter: readonly string[];
  memoryLimit: number;
  apiKey: readonly string[];
  apiKeyFile: string;
  cors: readonly string[];
  tlsCert: string;
  tlsKey: string;
  queue: number;
  atOnce: number;
  perMinute: number;
  drain: number;
  log: "debug" | "info" | "warn" | "error" | "silent";
  logPrompts: boolean;
}

/** How each of them is spelled, checked and explained. */
export const SERVE_OPTIONS: { readonly [K in keyof ServeOptionValues]: CliOption<ServeOptionValues[K]> } = {
  host: { kind: "string", value: "ADDRESS", doc: "Where to listen; 0.0.0.0 for every network", default: "127.0.0.1" },
  port: { kind: "number", whole: true, min: 0, max: 65535, value: "N", doc: "0: any that is free", default: 8080 },
  slots: {
    kind: "number",
    whole: true,
    min: 1,
    max: 4096,
    value: "N",
    doc: "Requests that run at once; more wait",
    default: 8,
  },
  also: {
    kind: "string",
    value: "MODEL",
    repeat: true,
    doc: "Another model to serve, opened when a request first names it. May be repeated",
  },
  alias: {
    kind: "string",
    value: "NAME[=MODEL]",
    repeat: true,
    doc: "What clients call MODEL, or one of --also, in the place of its own name, which of a path is the last part. May be repeated",
  },
  adapter: {
    kind: "string",
    value: "NAME=DIR",
    repeat: true,
    doc: "A LoRA adapter as PEFT saves it: requests that name NAME as their model get MODEL with it. May be repeated",
  },
  memoryLimit: {
    kind: "number",
    above: 0,
    value: "GB",
    doc: "What open models may take together; whichever was unused the longest is closed for another",
  },
  apiKey: {
    kind: "string",
    value: "KEY",
    repeat: true,
    doc: "Answer only who sends this key. May be repeated; others on this machine can see it here, so better use a file",
  },
  apiKeyFile: {
    kind: "string",
    value: "FILE",
    doc: "Keys, one a line, read again when the file changes",
  },
  cors: {
    kind: "string",
    value: "ORIGIN",
    repeat: true,
    doc: "Let pages of this origin ask, such as https://example.org; * for all. May be repeated",
  },
  tlsCert: { kind: "string", value: "FILE", doc: "Answer over TLS, with this certificate (PEM)" },
  tlsKey: { kind: "string", value: "FILE", doc: "The certificate's key (PEM)" },
  queue: {
    kind: "number",
    whole: true,
    min: 0,
    value: "N",
    doc: "Answers that may wait for a slot; more are refused with a 503. As many as make 512 with those that run, unless said",
  },
  atOnce: {
    kind: "number",
    whole: true,
    min: 1,
    value: "N",
    doc: "Answers that one key, or one address where there are no keys, may have under way or waiting",
  },
  perMinute: {
    kind: "number",
    whole: true,
    min: 1,
    value: "N",
    doc: "Requests to a model (all POSTs) that one key, or one address where there are no keys, may make in a minute",
  },
  drain: {
    kind: "number",
    min: 0,
    value: "SECONDS",
    doc: "How long answers under way may still take when the server is told to stop",
    default: 30,
  },
  log: {
    kind: "choice",
    choices: ["debug", "info", "warn", "error", "silent"],
    doc: "What to log on stderr, as JSON lines; info has a line for each request",
    default: "info",
  },
  logPrompts: { kind: "boolean", doc: "Log what people ask, too", default: false },
};
