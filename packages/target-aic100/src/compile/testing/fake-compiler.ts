import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Stands in for the vendor's compiler: it takes what compiler-rules.json says that the real one takes, looks into every file
 * it is given, and refuses the rest in the real one's words where those are known. It shares no code with what it checks.
 * Run as a program: node fake-compiler.ts RULES <the compiler's arguments>; FAKE_QAIC_FAIL makes it fail in a known way.
 */
interface Flags {
  readonly bare: readonly string[];
  readonly valued: readonly string[];
}

interface Rules {
  /** Of every SDK. */
  readonly all: Flags & {
    readonly ranges: Readonly<Record<string, readonly [least: number, most: number]>>;
    /** A model's dynamic axes. */
    readonly symbols: readonly string[];
  };
  /** What each has besides. */
  readonly sdks: Readonly<
    Record<
      string,
      Flags & {
        readonly hardwareVersions: readonly string[];
        readonly needs: readonly string[];
        readonly namedSpecializations: boolean;
      }
    >
  >;
}

const [which, ...args] = process.argv.slice(2);
const { all, sdks } = JSON.parse(readFileSync(join(import.meta.dirname, "compiler-rules.json"), "utf8")) as Rules;
const rules = sdks[which!]!;

function fail(message: string, code = 1): never {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}

const KNOWN: Readonly<Record<string, () => never>> = {
  option: () => fail("Invalid option -device-group=[0]. Use -h, -help, or --help for list of options."),
  old: () => fail("Invalid option -retained-state. Use -h, -help, or --help for list of options."),
  named: () => fail("[json.exception.type_error.302] type must be string, but is object", 255),
  scatter: () => fail("Error: ScatterND: Indices and updates must have same lengths"),
  memory: () => {
    process.kill(process.pid, "SIGKILL");
    return fail("unreachable");
  },
  alloc: () => fail("terminate called after throwing an instance of 'std::bad_alloc'", 134),
  silent: () => process.exit(3),
  nothing: () => process.exit(0),
};

const options = new Map<string, string>();
for (const argument of args) {
  const at = argument.indexOf("=");
  const name = at < 0 ? argument : argument.slice(0, at);
  const kind = at < 0 ? "bare" : "valued";
  if (!all[kind].includes(name) && !rules[kind].includes(name))
    fail(`Invalid option ${argument}. Use -h, -help, or --help for list of options.`);
  if (options.has(name)) fail(`Error: ${name} is given twice`);
  options.set(name, at < 0 ? "" : argument.slice(at + 1));
}
for (const name of rules.needs) if (!options.has(name)) fail(`Error: ${name} is missing`);
if (!rules.hardwareVersions.includes(options.get("-aic-hw-version")!)) fail("Error: unsupported hardware version");
for (const [name, [least, most]] of Object.entries(all.ranges)) {
  const value = Number(options.get(name) ?? least);
  if (!(value >= least && value <= most)) fail(`Error: ${name} is out of range`);
}
const cores = Number(options.get("-aic-num-cores"));

const read = (name: string): string => {
  const path = options.get(name)!;
  if (!existsSync(path)) fail(`Error: cannot open ${path}`);
  return readFileSync(path, "utf8");
};

process.stdout.write(`Reading ${options.get("-m")}\n`);
if (!existsSync(options.get("-m")!)) fail(`Error: cannot open ${options.get("-m")}`);
const model = readFileSync(options.get("-m")!, "latin1");

const specializations = (JSON.parse(read("-network-specialization-config")) as { specializations: object[] })
  .specializations;
if (!Array.isArray(specializations) || specializations.length === 0) fail("Error: no specializations");
for (const entry of specializations as Record<string, unknown>[]) {
  const named = "symbols" in entry;
  if (named && !rules.namedSpecializations)
    fail("[json.exception.type_error.302] type must be string, but is object", 255);
  const symbols = (named ? entry.symbols : entry) as Record<string, unknown>;
  for (const symbol of all.symbols)
    if (model.includes(symbol) && !(typeof symbols[symbol] === "string" && /^\d+$/.test(symbols[symbol])))
      fail(`Error: ${symbol} is not bound`);
}

const customIo = read("-custom-IO-list-file");
for (const line of customIo.split("\n"))
  if (
    !/^(?:# Model (?:Inputs|Outputs)| - IOName: \S+| {3}Precision: (?:float16|mxint8|bfloat16|float|int8)|)$/.test(line)
  )
    fail(`Error: custom IO: "${line}"`);
for (const [, name] of customIo.matchAll(/IOName: (\S+)/g))
  if (!model.includes(name!)) fail(`Error: custom IO names ${name}, which the model doesn't have`);

let devices = 1;
if (options.has("-mdp-load-partition-config")) {
  const { connections, partitions } = JSON.parse(read("-mdp-load-partition-config")) as {
    connections?: { devices: number[]; type: string }[];
    partitions: { name: string; devices: { deviceId: number; numCores: number }[] }[];
  };
  const ids = partitions.flatMap((partition) => partition.devices.map(({ deviceId }) => deviceId));
  if (ids.some((id, at) => id !== at)) fail("Error: partition: device ids");
  if (partitions.some((one) => one.devices.some(({ numCores }) => numCores !== cores))) fail("Error: partition: cores");
  for (const { devices: linked, type } of connections ?? [])
    if (!["p2p", "host"].includes(type) || linked.join() !== ids.join()) fail("Error: partition: connections");
  devices = ids.length;
}

process.stdout.write("Compiling\n");
KNOWN[process.env.FAKE_QAIC_FAIL ?? ""]?.();
const out = options.get("-aic-binary-dir")!;
if (existsSync(out)) fail(`Error: ${out} exists`);
if (!existsSync(dirname(out))) fail(`Error: ${dirname(out)} does not exist`);
mkdirSync(out);
writeFileSync(join(out, "programqpc.bin"), JSON.stringify({ cores, devices, args }));
process.stdout.write("Done");
