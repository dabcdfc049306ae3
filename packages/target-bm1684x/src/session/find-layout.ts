import type { BmrtNet, BmrtStagePort } from "@llm/runtime-native/bmrt";
import { TargetError } from "@llm/target";
import { isCache, type Layer, type Layout, type NetCall, type NetPort, portIs, type Role } from "./layout.ts";
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
  const layers = layersOf(named(/^block_(cache_)?\d+$/));
  const [head] = named(/^lm_head$/);
  if (!head) throw missing("lm_head");
  const [greedy] = named(/^greedy_head$/);
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
    prompt: embedding.prompt && layers[0]!.prompt ? embedding.prompt.inputs[0]!.shape.at(-1)! : 0,
    width: elements(head.inputs[0]!),
    vocab: known,
    embedding,
    layers,
    head,
    greedy: greedy && logits && greedy.outputs.some(portIs("token")) ? greedy : undefined,
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

/** One for a token, one for a prompt: two nets, or two stages of one. */
function embeddingOf(calls: readonly NetCall[]): Layer {
  const tokens = (call: NetCall) => call.inputs[0]!.shape.at(-1)!;
  const token = calls.find((call) => tokens(call) === 1);
  if (!token) throw missing("embedding for one token");
  return { token, prompt: calls.find((call) => tokens(call) > 1) };
}

function layersOf(calls: readonly NetCall[]): readonly Layer[] {
  const layers: Layer[] = [];
  for (const token of calls.filter(({ name }) => name.startsWith("block_cache_"))) {
    const number = token.name.slice("block_cache_".length);
    const prompt = calls.find(({ name }) => name === `block_${number}`);
    layers[Number(number)] = { token, prompt };
    if (!token.inputs.some(isCache)) throw unrecognised(token, "a block without a history");
  }
  if (layers.length === 0) throw missing("block_cache_0");
  for (let i = 0; i < layers.length; i++) if (!layers[i]) throw missing(`block_cache_${i}`);
  return layers;
}

/** Its history's places: the cache is [1, places, …]. */
function contextOf(layer: Layer): number {
  return layer.token.inputs.find(isCache)!.shape[1]!;
}

function elements({ shape }: NetPort): number {
  return shape.reduce((product, size) => product * size, 1);
}

function missing(what: string): TargetError {
  return new TargetError("unsupported", `this bmodel is no language model that can be run here: it has no ${what}`);
}
