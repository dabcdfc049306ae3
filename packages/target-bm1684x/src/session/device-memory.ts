import type { Bmrt, BmrtCommand, BmrtPlace } from "@llm/runtime-native/bmrt";
import { cachePorts, type Layer, type Layout, type NetPort, type Role } from "./layout.ts";

/** A cache tensor of one layer and slot: where it is, and how it is laid out. */
export interface CacheTensor {
  readonly device: number;
  readonly buffer: number;
  readonly role: Role["role"];
  /** Bytes of one token's entry, and of all. */
  readonly row: number;
  readonly bytes: number;
}

/** Of a slot: by layer, in the order of the token net's inputs. */
export type SlotCache = readonly (readonly CacheTensor[])[];

/** Buffers that a session works with: scratch memory by device and use, and caches by slot. */
export class DeviceBuffers {
  readonly #bmrt: Bmrt;
  readonly #layout: Layout;
  readonly #scratch = new Map<string, { readonly buffer: number; readonly bytes: number }>();
  readonly #slots = new Map<number, SlotCache>();
  readonly #isAlone: boolean;

  constructor(bmrt: Bmrt, layout: Layout, slots: number) {
    this.#bmrt = bmrt;
    this.#layout = layout;
    this.#isAlone = slots === 1;
  }

  /** Makes sure of memory for a use on a device; `at` gives it. */
  async reserve(device: number, use: string, bytes: number): Promise<void> {
    const key = `${device} ${use}`;
    const known = this.#scratch.get(key);
    if (known && known.bytes >= bytes) return;
    // Forgotten first: where there is no memory for more, nothing of it is there any longer.
    this.#scratch.delete(key);
    if (known) await this.#bmrt.free(device, known.buffer);
    this.#scratch.set(key, { buffer: await this.#bmrt.allocate(device, bytes), bytes });
  }

  at(device: number, use: string, offset = 0): BmrtPlace {
    const found = this.#scratch.get(`${device} ${use}`);
    if (!found) throw new TypeError(`nothing was reserved for ${use} on device ${device}`);
    return [found.buffer, offset];
  }

  /**
   * A slot's cache, made when first asked for. The only slot's lies where the nets were compiled to have it, where that is their
   * own, so that nothing is copied. Of several none may lie there: what each launches with, the runtime copies there.
   */
  async slot(slot: number): Promise<SlotCache> {
    const known = this.#slots.get(slot);
    if (known) return known;
    const made: (readonly CacheTensor[])[] = [];
    for (const layer of this.#layout.layers) made.push(await this.#layerCache(layer));
    await this.#clear(made.flat());
    this.#slots.set(slot, made);
    return made;
  }

  async #layerCache(layer: Layer): Promise<readonly CacheTensor[]> {
    const { device } = layer.token;
    const tensors: CacheTensor[] = [];
    for (const port of cachePorts(layer)) {
      const own = this.#isAlone ? port.own : undefined;
      const buffer = own ?? (await this.#bmrt.allocate(device, port.bytes));
      tensors.push({ device, buffer, role: port.role.role, row: rowBytes(port), bytes: port.bytes });
    }
    return tensors;
  }

  /** What is masked is still multiplied, by zero: it has to be a number. */
  async #clear(tensors: readonly CacheTensor[]): Promise<void> {
    const commands: BmrtCommand[] = [];
    const zeroed = new Map<number, number>();
    for (const { device, bytes } of tensors) zeroed.set(device, Math.max(zeroed.get(device) ?? 0, bytes));
    for (const [device, bytes] of zeroed) {
      await this.reserve(device, "zeros", bytes);
      commands.push({ do: "write", device, to: this.at(device, "zeros"), data: new Uint8Array(bytes) });
    }
    for (const { device, buffer, bytes } of tensors)
      commands.push({
        do: "copy",
        device,
        to: [buffer, 0],
        fromDevice: device,
        from: this.at(device, "zeros"),
        bytes,
      });
    await this.#bmrt.run(commands);
  }
}

/** Bytes of one token in a tensor [1, tokens, …]. */
export function rowBytes({ shape, bytes }: NetPort): number {
  return bytes / shape[1]!;
}
