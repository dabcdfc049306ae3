import { Environment, parse, tokenize } from "@huggingface/jinja";
import { type Program, PythonInterpreter } from "./python.ts";
import { strftime } from "./strftime.ts";

/** What a template says through `raise_exception`. */
export class Refusal extends Error {}

// Parsing takes longer than rendering, and a server renders the same template for every request.
const parsed = new Map<string, Program>();
const MAX_PARSED = 32;

/** Conversations have at most thousands of turns; a longer range is a template that would never end. */
const MAX_RANGE = 100_000;

/**
 * Renders a Jinja template. The library's own globals are declared here once more, because its `Template` fixes three that
 * must be ours: the clock, which tests and callers set, its language, and what tells a refusal from a mistake.
 */
export function renderJinja(source: string, variables: Readonly<Record<string, unknown>>, now: Date): string {
  const environment = new Environment();
  const globals: Record<string, unknown> = {
    true: true,
    True: true,
    false: false,
    False: false,
    none: null,
    None: null,
    range,
    strftime_now: (format: string) => strftime(now, format),
    raise_exception: (reason: unknown) => {
      throw new Refusal(String(reason));
    },
    ...variables,
  };
  for (const [name, value] of Object.entries(globals)) environment.set(name, value);
  const template = programOf(source);
  return String(new PythonInterpreter(environment, template).run(template).value);
}

function programOf(source: string): Program {
  const known = parsed.get(source);
  if (known !== undefined) return known;
  // Jinja reads every kind of line end as one.
  const tokens = tokenize(source.replace(/\r\n?/g, "\n"), { lstrip_blocks: true, trim_blocks: true });
  const program: Program = parse(tokens);
  if (parsed.size >= MAX_PARSED) parsed.clear();
  parsed.set(source, program);
  return program;
}

function range(first: number, stop?: number, step = 1): number[] {
  const [from, to] = stop === undefined ? [0, first] : [first, stop];
  if (step === 0) throw new Error("range() arg 3 must not be zero");
  const length = Math.max(0, Math.ceil((to - from) / step));
  if (length > MAX_RANGE) throw new Error(`range() of ${length} is longer than ${MAX_RANGE}`);
  return Array.from({ length }, (_, index) => from + index * step);
}
