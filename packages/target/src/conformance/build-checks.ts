import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { WeightSource } from "@llm/tensor";
import { canonicalJson } from "../canonical-json.ts";
import { buildArtefact, openArtefact, orderUnits, unitKeys } from "../engine/index.ts";
import type { DevicePlan } from "../plan.ts";
import type { Json, Target, Unit } from "../target.ts";
import { type BuildContext, type Check, must, refusal } from "./check.ts";

const tools = (context: BuildContext): Readonly<Record<string, string>> => context.tools ?? {};

const planSums: Check = {
  name: "a plan's parts add up, and what fits is what has room",
  about: "build",
  async run({ build }) {
    const { target, graph, options } = build!;
    const plan = target.plan(graph, options);
    must(plan.devices.length > 0, () => "the plan has no device");
    must(plan.why !== "", () => "the plan doesn't say what decides");
    for (const device of plan.devices) {
      const { name, total, weights, kv, activations, reserve, free } = device;
      const parts: readonly (keyof DevicePlan)[] = ["total", "weights", "kv", "activations", "reserve"];
      for (const part of parts) must(Number(device[part]) >= 0, () => `${name}: ${part} is ${device[part]}`);
      must(total - weights - kv - activations - reserve === free, () => `${name}: the parts don't add up to the total`);
      must((device.instructions ?? 0) <= activations, () => `${name}: instructions are no part of activations`);
    }
    must(plan.fits === plan.devices.every(({ free }) => free >= 0), () => "fits and free contradict each other");
  },
};

/** Names that targets use for how many sequences and how many tokens. */
const GROWING = ["batchSize", "ctxLen", "fullBatchSize"] as const;

const planGrows: Check = {
  name: "a larger batch or context never needs less",
  about: "build",
  async run({ build }) {
    const { target, graph, options } = build!;
    const used = (changed: object): number =>
      target
        .plan(graph, { ...(options as object), ...changed })
        .devices.reduce((sum, { total, free }) => sum + total - free, 0);
    const longest = graph.dims.context?.max ?? Number.POSITIVE_INFINITY;
    for (const name of GROWING) {
      if (!(name in target.options)) continue;
      const grown = [1, 2, 8, 64].map((size) => size * (name === "ctxLen" ? 32 : 1));
      const possible = grown.filter((size) => name !== "ctxLen" || size <= longest);
      const sizes = possible.map((size) => ({ size, bytes: used({ [name]: size }) }));
      for (const [i, { size, bytes }] of sizes.entries())
        must(
          i === 0 || bytes >= sizes[i - 1]!.bytes,
          () => `${name} ${size} needs less than ${name} ${sizes[i - 1]!.size}`,
        );
    }
  },
};

const unitsAreData: Check = {
  name: "units are JSON, can be ordered, and are the same every time",
  about: "build",
  async run({ build }) {
    const { target, program, options } = build!;
    const units = target.units(program, options);
    must(units.length > 0, () => "there are no units");
    must(
      units.some(({ place }) => place !== null),
      () => "no unit puts a file into the artefact",
    );
    const text = canonicalJson(units as unknown as Json);
    must(
      canonicalJson(JSON.parse(JSON.stringify(units)) as Json) === text,
      () => "units change when they are written as JSON and read back",
    );
    must(
      canonicalJson(target.units(program, options) as unknown as Json) === text,
      () => "equal inputs give different units",
    );
    orderUnits(units);
  },
};

const keysFollowInputs: Check = {
  name: "equal inputs give equal keys, and a changed input changes them",
  about: "build",
  async run({ build }) {
    const { target, program, options, source } = build!;
    const ordered = orderUnits(target.units(program, options));
    const keysOf = (
      units: readonly Unit[],
      changed: Partial<{ target: string; tools: Record<string, string>; source: string }> = {},
    ) => unitKeys(units, { target: target.id, tools: tools(build!), source: source.fingerprint, ...changed });
    const keys = keysOf(ordered);
    const after = (units: readonly Unit[]): Set<string> => {
      const changed = new Set<string>();
      for (const unit of ordered)
        if (units.includes(unit) || unit.after.some((id) => changed.has(id))) changed.add(unit.id);
      return changed;
    };
    const expect = (what: string, now: ReadonlyMap<string, string>, changed: ReadonlySet<string>): void => {
      for (const [id, key] of keys)
        must(
          (now.get(id) !== key) === changed.has(id),
          () => `${what}: the key of ${id} ${changed.has(id) ? "stays" : "changes"}`,
        );
    };
    expect("nothing changed", keysOf(structuredClone(ordered) as Unit[]), new Set());
    expect("another target", keysOf(ordered, { target: "another" }), new Set(keys.keys()));
    expect(
      "another checkpoint",
      keysOf(ordered, { source: "another" }),
      after(ordered.filter(({ weights }) => weights.length > 0)),
    );
    for (const unit of ordered) {
      const others = (changed: Unit): Unit[] => ordered.map((one) => (one === unit ? changed : one));
      const spec = { spec: unit.spec, changed: true };
      expect(`another spec of ${unit.id}`, keysOf(others({ ...unit, spec })), after([unit]));
      expect(`another kind of ${unit.id}`, keysOf(others({ ...unit, kind: `${unit.kind}.1` })), after([unit]));
      for (const tool of unit.needs.tools) {
        const users = ordered.filter(({ needs }) => needs.tools.includes(tool));
        expect(
          `another version of ${tool}`,
          keysOf(ordered, { tools: { ...tools(build!), [tool]: "another" } }),
          after(users),
        );
      }
    }
  },
};

const parallelIsSerial: Check = {
  name: "built side by side, one by one or from the cache: the same bytes",
  about: "build",
  async run({ build }) {
    const one = await built(build!, "one", { cores: 1 });
    const many = await built(build!, "many", { cores: 16 });
    const again = await built(build!, "again", { cores: 16 }, "many-cache");
    must(
      again.units.every(({ cached }) => cached),
      () => "a second build makes units again",
    );
    must(one.files === many.files && one.files === again.files, () => "bytes depend on how units were run");
    await openArtefact(join(build!.folder, "again"), { thorough: true });
    await clear(build!);
  },
};

const survivesKills: Check = {
  name: "stopped at any unit, the next run goes on and makes the same",
  about: "build",
  async run({ build }) {
    const { target, program, options } = build!;
    const whole = await built(build!, "whole");
    const count = target.units(program, options).length;
    for (let stopAt = 0; stopAt < count; stopAt++) {
      const stopping = { ...build!, target: stopsAt(target, stopAt) };
      await refusal(() => built(stopping, "killed", { cores: 1 }), "a unit that fails");
      await refusal(() => openArtefact(join(build!.folder, "killed")), "opening an artefact that was never finished");
      const resumed = await built(build!, "killed", { cores: 1 });
      const kept = resumed.units.filter(({ cached }) => cached).length;
      must(kept === stopAt, () => `of ${stopAt} finished units ${kept} are kept`);
      must(resumed.files === whole.files, () => "an interrupted build makes other bytes");
      for (const name of ["killed", "killed-cache"])
        await rm(join(build!.folder, name), { recursive: true, force: true });
    }
    await clear(build!);
  },
};

/** A target whose n-th unit of a run fails after it has written its files, as a killed compiler would. */
function stopsAt(target: Target, n: number): Target {
  let started = 0;
  return {
    ...target,
    async build(unit, work) {
      const mine = started++;
      await target.build(unit, work);
      if (mine === n) throw new Error("stopped on purpose");
    },
  };
}

interface Built {
  readonly files: string;
  readonly units: readonly { readonly cached: boolean }[];
}

async function built(context: BuildContext, name: string, capacity = {}, cache = `${name}-cache`): Promise<Built> {
  const folder = join(context.folder, name);
  const source: WeightSource = context.source;
  const { artefact, units } = await buildArtefact({
    ...context,
    source,
    folder,
    cacheDir: join(context.folder, cache),
    capacity,
  });
  for (const file of artefact.manifest.files) await readFile(join(folder, file.path)); // really there
  const files = JSON.stringify(
    artefact.manifest.files.map((file) => [file.path, "sha256" in file ? file.sha256 : file.link.headerSha256]),
  );
  return { files, units };
}

async function clear({ folder }: BuildContext): Promise<void> {
  for (const name of ["one", "many", "again", "whole"])
    for (const path of [name, `${name}-cache`]) await rm(join(folder, path), { recursive: true, force: true });
}

export const buildChecks: readonly Check[] = [
  planSums,
  planGrows,
  unitsAreData,
  keysFollowInputs,
  parallelIsSerial,
  survivesKills,
];
