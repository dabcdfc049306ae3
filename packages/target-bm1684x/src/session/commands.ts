import type { BmrtCommand, BmrtPlace } from "@llm/runtime-native/bmrt";
import { TargetError } from "@llm/target";
import type { DeviceBuffers, SlotCache } from "./device-memory.ts";
import { integers, promptMask, tokenMask } from "./encode.ts";
import { isCache, type Layer, type Layout, type NetCall, type NetPort, portIs } from "./layout.ts";

/** Where hidden states are after the last block, one row for each token. */
export interface Hidden {
  readonly device: number;
  readonly place: BmrtPlace;
}

/** The pieces of a step as commands for the devices: pure data, but for the memory that `prepare` reserves. */
export class StepCommands {
  readonly #layout: Layout;
  readonly #buffers: DeviceBuffers;

  constructor(layout: Layout, buffers: DeviceBuffers) {
    this.#layout = layout;
    this.#buffers = buffers;
  }

  /** Reserves what any step works with. */
  async prepare(): Promise<void> {
    checkHidden(this.#layout);
    for (const call of callsOf(this.#layout)) {
      for (const port of [...call.inputs, ...call.outputs]) {
        if (isCache(port)) continue;
        const uses = port.role.role === "hidden" ? [hiddenUse(0), hiddenUse(1), "row"] : [useOf(port)];
        for (const use of uses) await this.#buffers.reserve(call.device, use, port.bytes);
      }
      for (const port of call.outputs.filter(isCache))
        if (!inPlace(call, port, this.#layout.width)) await this.#buffers.reserve(call.device, useOf(port), port.bytes);
    }
  }

  /** A whole prompt at position 0, padded to the length that the nets were compiled for. */
  prompt(cache: SlotCache, tokens: Int32Array): { readonly commands: readonly BmrtCommand[]; readonly hidden: Hidden } {
    const size = this.#layout.prompt;
    const feed: Feed = {
      ids: tokens,
      positions: Array.from({ length: size }, (_, i) => i),
      mask: ({ dtype, shape, role }) => promptMask(dtype, shape.at(-1)!, windowOf(role)),
    };
    return this.#blocks(({ prompt }) => prompt!, feed, cache, 0);
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
    return this.#blocks(({ token }) => token, feed, cache, at);
  }

  /** What the model says after a row of hidden states; what is read is the logits, or the chosen token. */
  head({ device, place: [buffer, offset] }: Hidden, row: number, what: "logits" | "token"): readonly BmrtCommand[] {
    const { head, greedy } = this.#layout;
    const [input] = head.inputs;
    const from: BmrtPlace = [buffer, offset + row * input!.bytes];
    const commands: BmrtCommand[] = [];
    let source = from;
    if (device !== head.device) {
      source = this.#buffers.at(head.device, "row");
      commands.push({ do: "copy", device: head.device, to: source, fromDevice: device, from, bytes: input!.bytes });
    }
    commands.push(
      this.#launch(
        head,
        [source],
        head.outputs.map((port) => this.#place(head, port)),
      ),
    );
    const last = what === "token" && greedy ? greedy : head;
    if (last === greedy) commands.push(...this.#chosen(greedy));
    const wanted = last.outputs.find(portIs(what))!;
    commands.push({ do: "read", device: last.device, from: this.#place(last, wanted), bytes: wanted.bytes });
    return commands;
  }

  #chosen(greedy: NetCall): readonly BmrtCommand[] {
    const { head } = this.#layout;
    const logits = head.outputs.find(portIs("logits"))!;
    const commands: BmrtCommand[] = [];
    if (greedy.device !== head.device)
      commands.push({
        do: "copy",
        device: greedy.device,
        to: this.#place(greedy, logits),
        fromDevice: head.device,
        from: this.#place(head, logits),
        bytes: logits.bytes,
      });
    const places = (ports: readonly NetPort[]) => ports.map((port) => this.#place(greedy, port));
    commands.push(this.#launch(greedy, places(greedy.inputs), places(greedy.outputs)));
    return commands;
  }

  #blocks(stage: (layer: Layer) => NetCall, feed: Feed, cache: SlotCache, at: number) {
    const { embedding, layers } = this.#layout;
    const calls = [embedding, ...layers].map(stage);
    const commands: BmrtCommand[] = [...this.#feeds(calls, feed)];
    let device = calls[0]!.device;
    let current = 0;
    calls.forEach((call, i) => {
      if (call.device !== device) {
        const { bytes } = call.inputs.find(portIs("hidden"))!;
        const use = hiddenUse(current);
        const [to, from] = [this.#buffers.at(call.device, use), this.#buffers.at(device, use)];
        commands.push({ do: "copy", device: call.device, to, fromDevice: device, from, bytes });
        device = call.device;
      }
      commands.push(...this.#block(call, i === 0 ? [] : cache[i - 1]!, current, at));
      current = 1 - current;
    });
    return { commands, hidden: { device, place: this.#buffers.at(device, hiddenUse(current)) } };
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

  /** Hidden states go from one buffer to the other; new keys and values go where the cache has them. */
  #block(call: NetCall, cache: SlotCache[number], current: number, at: number): readonly BmrtCommand[] {
    const after: BmrtCommand[] = [];
    const tensor = (port: NetPort) => cache.find(({ role }) => role === port.role.role)!;
    const inputs = call.inputs.map((port): BmrtPlace => {
      if (isCache(port)) return [tensor(port).buffer, 0];
      return port.role.role === "hidden" ? this.#buffers.at(call.device, hiddenUse(current)) : this.#place(call, port);
    });
    const outputs = call.outputs.map((port): BmrtPlace => {
      if (port.role.role === "hidden") return this.#buffers.at(call.device, hiddenUse(1 - current));
      const { device, buffer, row } = tensor(port);
      if (inPlace(call, port, this.#layout.width)) return [buffer, at * row];
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

function hiddenUse(which: number): string {
  return `hidden ${which}`;
}

function windowOf(role: NetPort["role"]): number | undefined {
  return role.role === "mask" ? role.window : undefined;
}

/** An entry for each token of the call goes into the cache as it is; old nets give the whole history instead. */
function inPlace(call: NetCall, port: NetPort, width: number): boolean {
  const hidden = call.inputs.find(portIs("hidden"))!;
  return port.shape[1] === elements(hidden) / width;
}

function elements({ shape }: NetPort): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Hidden states go from net to net as they are: all must have them alike. */
function checkHidden(layout: Layout): void {
  const [wanted] = layout.head.inputs;
  for (const { name, inputs, outputs } of callsOf(layout))
    for (const { shape, dtype } of [...inputs, ...outputs].filter(portIs("hidden")))
      if (shape.at(-1) !== layout.width || dtype !== wanted!.dtype)
        throw new TargetError(
          "unsupported",
          `${name} has hidden states ${dtype} [${shape.join(", ")}]; lm_head takes ${layout.width} of ${wanted!.dtype}`,
        );
}

function callsOf({ embedding, layers, head, greedy }: Layout): readonly NetCall[] {
  const blocks = [embedding, ...layers].flatMap(({ token, prompt }) => (prompt ? [token, prompt] : [token]));
  return [...blocks, head, ...(greedy ? [greedy] : [])];
}
