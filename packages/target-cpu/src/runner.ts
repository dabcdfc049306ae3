import { join } from "node:path";
import { type OrtSession, type OrtTensor, ortTensor } from "@llm/runtime-native/ort";
import { type Artefact, type Runner, TargetError } from "@llm/target";
import { DTYPES, type Tensor } from "@llm/tensor";
import { modelFile } from "./build/units.ts";
import { SPAN_INPUT } from "./lower/inputs.ts";
import { HIDDEN_OUTPUT, READS_INPUT } from "./lower/tell-hidden.ts";
import { openTogether, readSchedule } from "./mesh/open-mesh.ts";
import { netOptions } from "./net-options.ts";
import { openModel } from "./open.ts";
import { NET } from "./pipeline.ts";
import { Adapters } from "./session/adapters.ts";
import { KvCache } from "./session/kv-cache.ts";
import { NEXT, statePorts } from "./session/states.ts";

/** Runs an artefact's model on the canonical packed inputs, each slot's tokens from position 0 on, over an empty cache. */
export async function openCpuRunner(artefact: Artefact): Promise<Runner> {
  const { folder, manifest } = artefact;
  const schedule = await readSchedule(artefact);
  const model = schedule
    ? await openTogether(artefact, schedule)
    : await openModel(join(folder, modelFile(NET)), netOptions(manifest, NET));
  return {
    name: "onnxruntime",
    nets: [NET],
    async run(net, inputs) {
      if (net !== NET) throw new TargetError("unsupported", `${manifest.model.name} has no net ${net}, only ${NET}`);
      return runPacked(model, inputs);
    },
    close: () => model.close(),
  };
}

async function runPacked(model: OrtSession, inputs: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
  const ids = ints(inputs, "ids");
  const positions = ints(inputs, "positions");
  const wanted = ints(inputs, "rows");
  const slots = inputs.slots ? ints(inputs, "slots") : new Int32Array(ids.length);
  const outputs: Record<string, Tensor> = {};
  for (const slot of new Set(slots)) {
    const tokens = [...ids.keys()].filter((token) => slots[token] === slot);
    if (tokens.some((token, i) => positions[token] !== i))
      throw new TargetError("unsupported", `slot ${slot}: a run starts at position 0 and leaves none out`);
    const pick = (from: Int32Array) => Int32Array.from(tokens, (token) => from[token]!);
    const row = (from: Int32Array) => ortTensor("i32", [1, tokens.length], pick(from));
    const mine = [...wanted.keys()].filter((i) => tokens.includes(wanted[i]!));
    const given: Record<string, OrtTensor> = {
      ids: row(ids),
      positions: row(positions),
      reach: row(inputs.reach ? ints(inputs, "reach") : new Int32Array(ids.length).fill(tokens.length)),
      rows: ortTensor(
        "i32",
        [mine.length],
        Int32Array.from(mine, (i) => tokens.indexOf(wanted[i]!)),
      ),
      [READS_INPUT]: ortTensor("i32", [0], new Int32Array(0)),
      [SPAN_INPUT]: ortTensor("i32", [tokens.length], Int32Array.from(tokens.keys())),
    };
    const results = await runRow(model, given, tokens.length);
    for (const [name, result] of Object.entries(results))
      place(outputs, name, result, name === "logits" ? mine : tokens, name === "logits" ? wanted.length : ids.length);
  }
  return outputs;
}

/** One sequence over a cache of its own. */
async function runRow(model: OrtSession, given: Readonly<Record<string, OrtTensor>>, tokens: number) {
  const cache = new KvCache(statePorts(model), 1, tokens);
  cache.reserve(tokens, () => 0);
  const states = cache.view(0, 1);
  const inputs: Record<string, OrtTensor> = { ...states, ...new Adapters(model.inputs).inputs(Int32Array.of(0)) };
  for (const { name } of model.inputs) if (given[name]) inputs[name] = given[name];
  const kept = Object.fromEntries(Object.entries(states).map(([name, tensor]) => [NEXT + name, tensor]));
  const made = model.outputs
    .filter(({ name }) => !(name in kept) && name !== HIDDEN_OUTPUT)
    .map(({ name }) => [name, null] as const);
  const results = await model.run(inputs, { ...kept, ...Object.fromEntries(made) });
  cache.clear();
  return Object.fromEntries(made.map(([name]) => [name, results[name]!]));
}

/** Rows of a slot's result in the places that they have among all. */
function place(
  outputs: Record<string, Tensor>,
  name: string,
  result: OrtTensor,
  rows: readonly number[],
  count: number,
) {
  const data = result.data as Float32Array;
  const shape = name === "logits" ? [count, ...result.shape.slice(1)] : [count, ...result.shape.slice(2)];
  const width = shape.slice(1).reduce((size, dim) => size * dim, 1);
  const into = (outputs[name] ??= { dtype: "f32", shape, data: new Float32Array(count * width) });
  for (const [i, row] of rows.entries())
    (into.data as Float32Array).set(data.subarray(i * width, (i + 1) * width), row * width);
}

function ints(inputs: Readonly<Record<string, Tensor>>, name: string): Int32Array {
  const tensor = inputs[name];
  if (!(tensor?.data instanceof Int32Array))
    throw new TargetError("unsupported", `a run needs "${name}" in ${DTYPES.i32.bytes * 8}-bit integers`);
  return tensor.data;
}
