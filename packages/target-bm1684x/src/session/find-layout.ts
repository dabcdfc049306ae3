import type { BmrtNet, BmrtStagePort } from "@llm/runtime-native/bmrt";
import { TargetError } from "@llm/target";
import { elements, isCache, type Layer, type Layout, type NetCall, type NetPort, portIs, type Role } from "./layout.ts";
import type { RolesOf } from "./roles.ts";
import { unrecognised } from "./roles.ts";

/**
 * Finds the model in the nets of devices: `nets[d]` are those of device d, in the runtime's order. `vocab` is used where the
 * nets don't say: a head that gives tokens has no logits to count.
 */
export function findLayout(nets: readonly (readonly BmrtNet[])[], rolesOf: RolesOf, vocab?: number): Layout {
  const calls = nets.flatMap((ofDevice, device) => ofDevice.flatMap((net, i) => callsOf(net, i, device, rolesOf)));
  const named = (pattern: RegExp) => calls.filter(({ name }) => pattern.test(name));
  const embedding = embeddingOf(named(/^embedding(_cache)?$/));
  const { steps, heads } = inTurn([[embedding], ...stepsOf(named(BLOCK))], named(/^lm_head(_chip\d{1,2})?$/));
  const layers = steps.slice(1).flatMap((parts) => parts.filter(({ token }) => token.inputs.some(isCache)));
  if (layers.length === 0) throw unrecognised(steps[1]![0]!.token, "a block without a history");
  const head = joinedHead(heads);
  const [greedy] = named(/^greedy_head$/);
  const [sample] = named(/^sample_head$/);
  const context = contextOf(layers[0]!);
  const logits = head.outputs.find(portIs("logits"));
  const known = logits ? elements(logits) : vocab;
  if (known === undefined)
    throw new TargetError(
      "unsupported",
      "lm_head gives tokens and no logits, so the vocabulary's size must be known; put vocab.json beside the bmodel",
    );
  return {
    context,
    prompt: steps.flat().every(({ prompt }) => prompt) ? embedding.prompt!.inputs[0]!.shape.at(-1)! : 0,
    width: elements(head.inputs[0]!),
    vocab: known,
    steps,
    layers,
    heads,
    head,
    greedy: greedy && logits && greedy.outputs.some(portIs("token")) ? greedy : undefined,
    sample: sample && logits && givesCandidates(sample, known) ? sample : undefined,
  };
}

function callsOf(net: BmrtNet, number: number, device: number, rolesOf: RolesOf): readonly NetCall[] {
  const roles = rolesOf(net, device);
  if (!roles) return [];
  if (roles.inputs.length !== net.inputs.length || roles.outputs.length !== net.outputs.length)
    throw new TargetError("artefact-invalid", `${net.name} is not the net that the list beside it describes`);
  // Only apart from what it computes with is a net's own memory still there after another net has run.
  const kept = net.addressMode === "io-alone";
  const ports = (list: BmrtNet["inputs"], shapes: readonly BmrtStagePort[], meant: readonly Role[]) =>
    list.map(({ dtype }, i): NetPort => {
      const { shape, bytes, buffer } = shapes[i]!;
      return { role: meant[i]!, dtype, shape, bytes, ...(kept && buffer !== undefined ? { own: buffer } : {}) };
    });
  return net.stages.map((stage, i) => ({
    name: net.name,
    device,
    net: number,
    stage: i,
    inputs: ports(net.inputs, stage.inputs, roles.inputs),
    outputs: ports(net.outputs, stage.outputs, roles.outputs),
  }));
}

/** As many shares as candidates, of the same logits; the vendor's own heads of this name also draw, by random numbers of theirs. */
function givesCandidates({ inputs, outputs }: NetCall, vocab: number): boolean {
  const [logits, temperature, ...more] = inputs;
  const [probabilities, candidates] = [outputs.find(portIs("probabilities")), outputs.find(portIs("candidates"))];
  if (!logits || !temperature || !probabilities || !candidates || more.length > 0) return false;
  const isFloat = [temperature, probabilities].every(({ dtype }) => dtype === "f32");
  return isFloat && elements(logits) === vocab && elements(probabilities) === elements(candidates);
}

/** One for a token, one for a prompt: two nets, or two stages of one. */
function embeddingOf(calls: readonly NetCall[]): Layer {
  const tokens = (call: NetCall) => call.inputs[0]!.shape.at(-1)!;
  const token = calls.find((call) => tokens(call) === 1);
  if (!token) throw missing("embedding for one token");
  return { token, prompt: calls.find((call) => tokens(call) > 1) };
}

/** Numbers of a few digits: they are places in lists. */
const BLOCK = /^block_(cache_)?(\d{1,4})(?:_part(\d{1,2}))?(?:_chip\d{1,2})?$/;

/** Blocks in order, or their parts, each on the devices that share it. */
function stepsOf(calls: readonly NetCall[]): readonly (readonly Layer[])[] {
  const blocks: Layer[][][] = [];
  for (const token of calls) {
    const [, cache, block, part = 0] = BLOCK.exec(token.name)!;
    if (cache === undefined) continue;
    const prompt = calls.find(
      ({ name, device }) => name === token.name.replace("_cache", "") && device === token.device,
    );
    ((blocks[Number(block)] ??= [])[Number(part)] ??= []).push({ token, prompt });
  }
  if (blocks.length === 0) throw missing("block_cache_0");
  for (let i = 0; i < blocks.length; i++) if (!blocks[i]) throw missing(`block_cache_${i}`);
  return blocks.flat();
}

/** Hidden states by name. Where nets don't say, each goes on with what the one before it made. */
function inTurn(steps: readonly (readonly Layer[])[], heads: readonly NetCall[]): Pick<Layout, "steps" | "heads"> {
  const named = (call: NetCall, step: number): NetCall => {
    const value = (after: number) => (port: NetPort) =>
      port.role.role === "hidden" ? { ...port, role: { value: `after ${step - 1 + after}`, ...port.role } } : port;
    return { ...call, inputs: call.inputs.map(value(0)), outputs: call.outputs.map(value(1)) };
  };
  return {
    steps: steps.map((layers, step) =>
      layers.map(({ token, prompt }) => ({ token: named(token, step), prompt: prompt && named(prompt, step) })),
    ),
    heads: heads.map((head) => named(head, steps.length)),
  };
}

/** Parts of the logits, put together on the first one's device. */
function joinedHead(heads: readonly NetCall[]): NetCall {
  const [first] = heads;
  if (!first) throw missing("lm_head");
  if (heads.length === 1) return first;
  const parts = heads.map(({ name, outputs }) => {
    const logits = outputs.find(portIs("logits"));
    if (!logits) throw unrecognised({ name }, "a part of a head without logits");
    return logits;
  });
  const size = (of: (part: NetPort) => number) => parts.reduce((sum, part) => sum + of(part), 0);
  const all: NetPort = {
    role: { role: "logits" },
    dtype: parts[0]!.dtype,
    shape: [1, size(elements)],
    bytes: size(({ bytes }) => bytes),
  };
  return { ...first, outputs: [all] };
}

/** Its history's places: the cache is [1, places, …]. */
function contextOf(layer: Layer): number {
  return layer.token.inputs.find(isCache)!.shape[1]!;
}

function missing(what: string): TargetError {
  return new TargetError("unsupported", `this bmodel is no language model that can be run here: it has no ${what}`);
}
