import type { BmrtCommand, BmrtPlace } from "@llm/runtime-native/bmrt";
import { TargetError } from "@llm/target";
import type { DeviceBuffers, SlotCache } from "./device-memory.ts";
import { integers, promptMask, tokenMask } from "./encode.ts";
import type { Scratch } from "./hidden-memory.ts";
import { elements, isCache, type Layout, type NetCall, type NetPort, portIs, type Role } from "./layout.ts";
import { type Stream, type StreamItem, streamOf } from "./stream.ts";

/** Where hidden states are after the last block, one row for each token: of every input of a head. */
export type Hidden = Stream["left"];

/** The pieces of a step as commands for the devices: pure data, but for the memory that `prepare` reserves. */
export class StepCommands {
  readonly #layout: Layout;
  readonly #buffers: DeviceBuffers;
  readonly #token: Stream;
  /** Absent where there are no nets for prompts. */
  readonly #prompt: Stream | undefined;

  constructor(layout: Layout, buffers: DeviceBuffers) {
    this.#layout = layout;
    this.#buffers = buffers;
    const { steps, heads } = layout;
    this.#token = streamOf(steps, ({ token }) => token, heads);
    this.#prompt = layout.prompt > 0 ? streamOf(steps, ({ prompt }) => prompt!, heads) : undefined;
  }

  /** Reserves what any step works with. */
  async prepare(): Promise<void> {
    checkHidden(this.#layout);
    for (const call of callsOf(this.#layout)) {
      for (const port of [...call.inputs, ...call.outputs]) {
        if (!isCache(port) && !isStream(port)) await this.#buffers.reserve(call.device, useOf(port), port.bytes);
      }
      for (const port of call.outputs.filter(isCache))
        if (!inPlace(call, port)) await this.#buffers.reserve(call.device, useOf(port), port.bytes);
    }
    for (const { device, use, bytes } of [...this.#token.uses, ...(this.#prompt?.uses ?? [])])
      await this.#buffers.reserve(device, use, bytes);
    for (const { device, inputs } of this.#layout.heads)
      for (const [i, { bytes }] of inputs.entries()) await this.#buffers.reserve(device, rowUse(i), bytes);
  }

  /** A whole prompt at position 0, padded to the length that the nets were compiled for. */
  prompt(cache: SlotCache, tokens: Int32Array): { readonly commands: readonly BmrtCommand[]; readonly hidden: Hidden } {
    const size = this.#layout.prompt;
    const feed: Feed = {
      ids: tokens,
      positions: Array.from({ length: size }, (_, i) => i),
      mask: ({ dtype, shape, role }) => promptMask(dtype, shape.at(-1)!, windowOf(role)),
    };
    return this.#blocks(this.#prompt!, feed, cache, 0);
  }

  /** One token after what the slot holds. */
  token(
    cache: SlotCache,
    id: number,
    at: number,
  ): { readonly commands: readonly BmrtCommand[]; readonly hidden: Hidden } {
    const feed: Feed = {
      ids: [id],
      positions: [at],
      mask: ({ dtype, shape, role }) => tokenMask(dtype, shape.at(-1)!, at, windowOf(role)),
    };
    return this.#blocks(this.#token, feed, cache, at);
  }

  /** What the model says after a row of hidden states; what is read is the logits, or the chosen token. */
  head(hidden: Hidden, row: number, what: "logits" | "token"): readonly BmrtCommand[] {
    const { head, greedy } = this.#layout;
    const last = what === "token" && greedy ? greedy : head;
    const commands = this.#logits(hidden, row);
    return [...commands, ...(last === greedy ? this.#choice(greedy) : []), this.#read(last, what)];
  }

  /** The best tokens after a row of hidden states: read are their shares of the probability, and then which they are. */
  candidates(hidden: Hidden, row: number, temperature: number): readonly BmrtCommand[] {
    const sample = this.#layout.sample!;
    const port = sample.inputs.find(portIs("temperature"))!;
    const data = new Uint8Array(Float32Array.of(temperature).buffer);
    return [
      ...this.#logits(hidden, row),
      { do: "write", device: sample.device, to: this.#place(sample, port), data },
      ...this.#choice(sample),
      this.#read(sample, "probabilities"),
      this.#read(sample, "candidates"),
    ];
  }

  /** Parts of the vocabulary are computed side by side, and put together where the first one's device has all logits. */
  #logits(hidden: Hidden, row: number): readonly BmrtCommand[] {
    const { heads, head } = this.#layout;
    if (heads.length === 1)
      return this.#headLaunch(
        head,
        hidden,
        row,
        head.outputs.map((port) => this.#place(head, port)),
      );
    const [buffer] = this.#place(head, head.outputs[0]!);
    const launches: BmrtCommand[] = [];
    const copies: BmrtCommand[] = [];
    for (const part of heads) {
      const port = part.outputs.find(portIs("logits"))!;
      const to: BmrtPlace = [buffer, startOf(port)];
      const own = part.device === head.device ? to : this.#place(part, port);
      launches.push(...this.#headLaunch(part, hidden, row, [own]));
      if (own !== to)
        copies.push({ do: "copy", device: head.device, to, fromDevice: part.device, from: own, bytes: port.bytes });
    }
    return [...launches, ...copies];
  }

  #headLaunch(head: NetCall, hidden: Hidden, row: number, outputs: readonly BmrtPlace[]): readonly BmrtCommand[] {
    const commands: BmrtCommand[] = [];
    const inputs = head.inputs.map((port, i): BmrtPlace => {
      const { device, use } = hidden.get(port)!;
      const from = this.#buffers.at(device, use, row * port.bytes);
      if (device === head.device) return from;
      const to = this.#buffers.at(head.device, rowUse(i));
      commands.push({ do: "copy", device: head.device, to, fromDevice: device, from, bytes: port.bytes });
      return to;
    });
    return [...commands, this.#launch(head, inputs, outputs)];
  }

  /** A net that goes on from the logits. */
  #choice(net: NetCall): readonly BmrtCommand[] {
    const { head } = this.#layout;
    const logits = head.outputs.find(portIs("logits"))!;
    const places = (ports: readonly NetPort[]) => ports.map((port) => this.#place(net, port));
    const launch = this.#launch(net, places(net.inputs), places(net.outputs));
    if (net.device === head.device) return [launch];
    const [to, from] = [this.#place(net, logits), this.#place(head, logits)];
    return [{ do: "copy", device: net.device, to, fromDevice: head.device, from, bytes: logits.bytes }, launch];
  }

  #read(net: NetCall, role: Role["role"]): BmrtCommand {
    const port = net.outputs.find(portIs(role))!;
    return { do: "read", device: net.device, from: this.#place(net, port), bytes: port.bytes };
  }

  #blocks(stream: Stream, feed: Feed, cache: SlotCache, at: number) {
    const launches = stream.items.filter((item) => item.do === "launch");
    const feeds = this.#feeds(
      launches.map(({ call }) => call),
      feed,
    );
    return {
      commands: [...feeds, ...stream.items.flatMap((item) => this.#item(item, cache, at))],
      hidden: stream.left,
    };
  }

  #item(item: StreamItem, cache: SlotCache, at: number): readonly BmrtCommand[] {
    const placeOf = ({ device, use }: Scratch) => this.#buffers.at(device, use);
    const onDevice = (scratch: Scratch) => ({ device: scratch.device, at: placeOf(scratch) });
    switch (item.do) {
      case "launch":
        return this.#block(item, cache, at);
      case "copy": {
        const { from, to, bytes } = item;
        return [
          { do: "copy", device: to.device, to: placeOf(to), fromDevice: from.device, from: placeOf(from), bytes },
        ];
      }
      case "sum": {
        const { dtype, bytes } = item.port;
        return [{ do: "sum", dtype, bytes, terms: item.terms.map(onDevice), to: item.to.map(onDevice) }];
      }
    }
  }

  /** Ids, positions and masks, once for each device that asks for them. */
  #feeds(calls: readonly NetCall[], feed: Feed): readonly BmrtCommand[] {
    const commands = new Map<string, BmrtCommand>();
    for (const call of calls)
      for (const port of call.inputs) {
        const data = fed(port, feed);
        if (!data) continue;
        const key = `${call.device} ${useOf(port)}`;
        if (!commands.has(key))
          commands.set(key, { do: "write", device: call.device, to: this.#place(call, port), data: data() });
      }
    return [...commands.values()];
  }

  /** Hidden states are where the stream has them; new keys and values go where the cache has them. */
  #block({ layer, call, hidden }: Launch, cache: SlotCache, at: number): readonly BmrtCommand[] {
    const after: BmrtCommand[] = [];
    const remembered = cache[this.#layout.layers.indexOf(layer)];
    const tensor = (port: NetPort) => remembered!.find(({ role }) => role === port.role.role)!;
    const stream = (port: NetPort): BmrtPlace => {
      const { device, use } = hidden.get(port)!;
      return this.#buffers.at(device, use);
    };
    const inputs = call.inputs.map((port): BmrtPlace => {
      if (isCache(port)) return [tensor(port).buffer, 0];
      return isStream(port) ? stream(port) : this.#place(call, port);
    });
    const outputs = call.outputs.map((port): BmrtPlace => {
      if (isStream(port)) return stream(port);
      const { device, buffer, row } = tensor(port);
      if (inPlace(call, port)) return [buffer, at * row];
      // Old nets give the whole history with the new entry at its end.
      const from = this.#buffers.at(device, useOf(port), port.bytes - row);
      after.push({ do: "copy", device, to: [buffer, at * row], fromDevice: device, from, bytes: row });
      return this.#buffers.at(device, useOf(port));
    });
    return [this.#launch(call, inputs, outputs), ...after];
  }

  #place(call: NetCall, port: NetPort): BmrtPlace {
    return this.#buffers.at(call.device, useOf(port));
  }

  #launch(call: NetCall, inputs: readonly BmrtPlace[], outputs: readonly BmrtPlace[]): BmrtCommand {
    return { do: "launch", device: call.device, net: call.net, stage: call.stage, inputs, outputs };
  }
}

type Launch = Extract<StreamItem, { do: "launch" }>;

/** What the tokens of a step are to the nets. */
interface Feed {
  readonly ids: ArrayLike<number>;
  readonly positions: ArrayLike<number>;
  mask(port: NetPort): Uint8Array;
}

function fed(port: NetPort, { ids, positions, mask }: Feed): (() => Uint8Array) | undefined {
  switch (port.role.role) {
    case "ids":
      return () => integers(ids, port.bytes / 4);
    case "positions":
      return () => integers(positions, port.bytes / 4);
    case "mask":
      return () => mask(port);
    default:
      return undefined;
  }
}

/** Which scratch memory a port uses: all of one meaning and type share it. */
function useOf({ role, dtype }: NetPort): string {
  return [role.role, dtype, windowOf(role) ?? "", "layer" in role ? "entry" : ""].join(" ");
}

/** Where a head that is elsewhere than what it goes on from has a row of that. */
function rowUse(input: number): string {
  return `row ${input}`;
}

/** Hidden states are where the stream has them. */
function isStream({ role }: NetPort): boolean {
  return role.role === "hidden" || role.role === "term";
}

/** Bytes of all logits before those of a part. */
function startOf(port: NetPort): number {
  const from = port.role.role === "logits" ? (port.role.from ?? 0) : 0;
  return (from * port.bytes) / elements(port);
}

function windowOf(role: NetPort["role"]): number | undefined {
  return role.role === "mask" ? role.window : undefined;
}

/** An entry for each token of the call goes into the cache as it is; old nets give the whole history instead. */
function inPlace(call: NetCall, port: NetPort): boolean {
  const hidden = call.inputs.find(portIs("hidden"))!;
  return port.shape[1] === elements(hidden) / hidden.shape.at(-1)!;
}

/** Hidden states go from net to net as they are: all must have them alike. */
function checkHidden(layout: Layout): void {
  const [wanted] = layout.head.inputs;
  for (const { name, inputs, outputs } of callsOf(layout))
    for (const { shape, dtype } of [...inputs, ...outputs].filter(isStream))
      if (shape.at(-1) !== layout.width || dtype !== wanted!.dtype)
        throw new TargetError(
          "unsupported",
          `${name} has hidden states ${dtype} [${shape.join(", ")}]; lm_head takes ${layout.width} of ${wanted!.dtype}`,
        );
}

function callsOf({ steps, heads, head, greedy, sample }: Layout): readonly NetCall[] {
  const blocks = steps.flat().flatMap(({ token, prompt }) => (prompt ? [token, prompt] : [token]));
  return [...blocks, ...heads, head, ...(greedy ? [greedy] : []), ...(sample ? [sample] : [])];
}
