import type { Command } from "./definition/command.ts";
import { COMMANDS } from "./definition/commands.ts";
import { describeError, EXIT, exitCodeOf, UsageError } from "./exit.ts";
import { createIo, type Streams } from "./output/create-io.ts";
import type { Io } from "./output/io.ts";
import { parseCommand } from "./parse/arguments.ts";
import type { TargetOptions } from "./parse/known-options.ts";
import { suggest } from "./parse/suggest.ts";
import { version } from "./version.ts";

/** Where the program runs. */
export interface World {
  readonly streams: Streams;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** The program: arguments in, exit code out. Never throws for what a user did. */
export async function main(argv: readonly string[], world: World): Promise<number> {
  const { stdout, stderr } = world.streams;
  try {
    const [name, ...rest] = argv;
    if (name === undefined || name === "--help" || name === "-h") return await showHelp(undefined, world);
    if (name === "--version" || name === "-V") {
      stdout.write(`${version()}\n`);
      return EXIT.done;
    }
    if (name === "help") return await showHelp(rest[0], world);
    return await runCommand(findCommand(name), rest, world);
  } catch (error) {
    stderr.write(`llm: ${describeError(error)}\n`);
    if (wantsDebug(argv, world.env) && error instanceof Error) stderr.write(`${stackOf(error)}\n`);
    return world.signal.aborted ? EXIT.interrupted : exitCodeOf(error);
  }
}

async function runCommand(command: Command, argv: readonly string[], world: World): Promise<number> {
  const { streams, env, signal } = world;
  const targets = command.targetOptions ? await installedTargetOptions(asksFor("null", argv, env)) : [];
  if (command.reference && asksFor("reference", argv, env)) targets.push(await referenceTarget());
  const { help, notes, ...call } = parseCommand(command, argv, env, targets);
  if (help) return showHelp(command.name, world);
  const json = call.options.json ?? false;
  const io = createIo(streams, env, signal, json);
  for (const note of notes) io.note(note);
  const { run } = await command.load();
  const heard = tellWhenHeard(io);
  try {
    const outcome = await run(call, io);
    io.progress.close();
    if (outcome.json !== undefined) io.document(outcome.json);
    if (!json && outcome.text !== undefined) streams.stdout.write(`${outcome.text.replace(/\n$/, "")}\n`);
    if (outcome.problem !== undefined) streams.stderr.write(`llm: ${outcome.problem}\n`);
    if (signal.aborted) return EXIT.interrupted;
    return outcome.exitCode ?? (outcome.problem === undefined ? EXIT.done : EXIT.failed);
  } finally {
    heard.end();
    io.progress.close();
  }
}

/** How long work may take to stop before it is said that it was asked to. */
const UNHEARD_MS = 1000;

/** Tells who interrupted work that doesn't stop at once that it heard. */
function tellWhenHeard({ signal, note }: Io): { end(): void } {
  let timer: NodeJS.Timeout | undefined;
  const listener = () => {
    timer = setTimeout(() => note("stopping; interrupt again to end it at once"), UNHEARD_MS);
    timer.unref();
  };
  signal.addEventListener("abort", listener, { once: true });
  return {
    end: () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", listener);
    },
  };
}

async function showHelp(name: string | undefined, { streams }: World): Promise<number> {
  const { commandHelp, programHelp } = await import("./help/text.ts");
  if (name === undefined) streams.stdout.write(programHelp(COMMANDS));
  else {
    const command = findCommand(name);
    streams.stdout.write(commandHelp(command, command.targetOptions ? await installedTargetOptions() : []));
  }
  return EXIT.done;
}

function findCommand(name: string): Command {
  const found = COMMANDS.find((command) => command.name === name);
  if (found) return found;
  const close = suggest(
    name,
    COMMANDS.map((command) => command.name),
  );
  const hint = close === undefined ? "`llm --help` lists what there is" : `did you mean \`llm ${close}\`?`;
  throw new UsageError(
    name.startsWith("-")
      ? `a command comes first: llm COMMAND ${name}; ${hint}`
      : `there is no command ${name}; ${hint}`,
  );
}

async function installedTargetOptions(withNull = false): Promise<TargetOptions[]> {
  const { findTarget, installedTargets } = await import("@llm/toolchain/targets");
  const targets = [...(await installedTargets()), ...(withNull ? [await findTarget("null")] : [])];
  return targets.map(({ id, options }) => ({ id, options }));
}

/** The plain interpreter is no package that could be found, and only some commands take it. */
async function referenceTarget(): Promise<TargetOptions> {
  const { referenceOptions } = await import("@llm/toolchain");
  return { id: "reference", options: referenceOptions };
}

/** Targets that aren't installed ones show their options only to who names them. */
function asksFor(id: string, argv: readonly string[], env: World["env"]): boolean {
  const at = argv.indexOf("--target");
  return argv[at + 1] === id || argv.includes(`--target=${id}`) || env.LLM_TARGET === id;
}

function wantsDebug(argv: readonly string[], env: World["env"]): boolean {
  return argv.includes("--debug") || /^(1|true|yes|on)$/i.test(env.LLM_DEBUG ?? "");
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : "";
  return `${error.stack ?? error.message}${cause}`;
}
