/** Scratch memory on a device, by its use. */
export interface Scratch {
  readonly device: number;
  readonly use: string;
}

/** Which scratch memory has which value on each device: what is released is taken again. */
export class HiddenMemory {
  /** By value, then by device: the number of its place there. */
  readonly #places = new Map<string, Map<number, number>>();
  readonly #sizes = new Map<number, number[]>();

  take(value: string, device: number, bytes: number): Scratch {
    const taken = new Set([...this.#places.values()].map((places) => places.get(device)));
    let number = 0;
    while (taken.has(number)) number++;
    const places = this.#places.get(value) ?? new Map<number, number>();
    this.#places.set(value, places.set(device, number));
    const sizes = this.#sizes.get(device) ?? [];
    this.#sizes.set(device, sizes);
    sizes[number] = Math.max(sizes[number] ?? 0, bytes);
    return scratch(device, number);
  }

  /** On that device; on any unless said. */
  find(value: string, device?: number): Scratch | undefined {
    const places = this.#places.get(value);
    if (!places) return undefined;
    if (device !== undefined) return places.has(device) ? scratch(device, places.get(device)!) : undefined;
    const [first] = places;
    return first && scratch(...first);
  }

  /** On all devices. */
  release(value: string): void {
    this.#places.delete(value);
  }

  values(): readonly string[] {
    return [...this.#places.keys()];
  }

  uses(): readonly (Scratch & { readonly bytes: number })[] {
    return [...this.#sizes].flatMap(([device, sizes]) =>
      sizes.map((bytes, number) => ({ ...scratch(device, number), bytes })),
    );
  }
}

function scratch(device: number, number: number): Scratch {
  return { device, use: `hidden ${number}` };
}
