/** What a tiny bmodel says of itself; enough for the reader, and nothing that a chip would run. */
export interface TinyBmodel {
  readonly chip: string;
  readonly version: string;
  readonly devices?: number;
  readonly nets: readonly TinyNet[];
  /** Bytes of weights and instructions, all zero. */
  readonly poolBytes: number;
}

export interface TinyNet {
  readonly name: string;
  readonly addressMode: number;
  readonly stages: readonly {
    readonly weights: { readonly start: number; readonly bytes: number };
    readonly commands: { readonly compute: number; readonly move: number; readonly bytes: number };
    readonly runtimeBytes: number;
    readonly ioBytes?: number;
  }[];
}

/** A field of a table: a number, a structure of two numbers, or something that lies elsewhere. */
type Field =
  | { readonly u32: number }
  | { readonly u64: number }
  | { readonly pair: readonly [number, number] }
  | { readonly text: string }
  | { readonly table: Fields }
  | { readonly tables: readonly Fields[] }
  | { readonly shared: Fields; readonly times: number }
  | { readonly u64s: readonly number[] };
type Fields = Readonly<Record<number, Field>>;

/** A file in the vendor's format, by its published schema. */
export function tinyBmodel({ chip, version, devices = 1, nets, poolBytes }: TinyBmodel): Uint8Array {
  const description = flatbuffer({
    0: { text: "B" },
    1: { text: version },
    2: { text: "Sat Nov 21 13:47:19 2026" },
    3: { text: chip },
    4: { tables: nets.map(netFields) },
    7: { u32: devices },
  });
  return fileOf(description, poolBytes);
}

/** A file with so many nets of so many stages of so many inputs, each all the same table: small, and endless to read. */
export function sharedTables(times: number): Uint8Array {
  const input: Fields = { 0: { text: "x" }, 1: { u32: 1 }, 4: { u64: 16 } };
  const stage: Fields = { 0: { shared: input, times } };
  const net: Fields = { 0: { text: "net" }, 3: { shared: stage, times } };
  return fileOf(
    flatbuffer({ 1: { text: "2.2+v1.30.2-20260831" }, 3: { text: "BM1684X" }, 4: { shared: net, times } }),
    0,
  );
}

function fileOf(description: Uint8Array, poolBytes: number): Uint8Array {
  const file = new Uint8Array(64 + description.length + poolBytes);
  const view = new DataView(file.buffer);
  view.setUint32(0, 0xff55aaee, true);
  view.setUint32(4, 64, true);
  view.setUint32(8, description.length, true);
  view.setBigUint64(12, BigInt(poolBytes), true);
  file.set(description, 64);
  return file;
}

function netFields({ name, addressMode, stages }: TinyNet): Fields {
  const tensor = (called: string): Fields => ({
    0: { text: called },
    1: { u32: 1 },
    4: { u64: 16 },
    5: { tables: [{ 0: { u64s: [1, 1, 8] } }] },
  });
  const tables = stages.map(
    ({ weights, commands, runtimeBytes, ioBytes = 0 }): Fields => ({
      0: { tables: [tensor("input_states")] },
      1: { tables: [tensor("output_states")] },
      3: { u64: runtimeBytes },
      4: { table: { 2: { pair: [weights.start, weights.bytes] } } },
      8: {
        tables: [
          {
            0: { u32: commands.compute },
            1: { u32: commands.move },
            2: { pair: [0, commands.bytes / 2] },
            3: { pair: [0, commands.bytes / 2] },
          },
        ],
      },
      18: { u64: ioBytes },
    }),
  );
  return { 0: { text: name }, 3: { tables }, 5: { u32: addressMode } };
}

function flatbuffer(root: Fields): Uint8Array {
  const bytes: number[] = [0, 0, 0, 0];
  const put = (value: number, width: number, at = bytes.length) => {
    let rest = BigInt(value);
    for (let i = 0; i < width; i++, rest >>= 8n) bytes[at + i] = Number(rest & 255n);
  };
  const list = (count: number, width: number): number => {
    put(count, 4);
    const at = bytes.length;
    put(0, count * width);
    return at;
  };
  const link = (at: number, target: number) => put(target - at, 4, at);

  const table = (fields: Fields): number => {
    const numbers = Object.keys(fields).map(Number);
    const highest = Math.max(...numbers);
    const offsets = bytes.length;
    put(4 + 2 * (highest + 1), 2);
    put(0, 2 + 2 * (highest + 1));
    const start = bytes.length;
    put(start - offsets, 4);
    const places = new Map(
      numbers.map((number) => {
        const at = bytes.length;
        put(at - start, 2, offsets + 4 + 2 * number);
        put(0, "pair" in fields[number]! ? 16 : 8);
        return [number, at] as const;
      }),
    );
    for (const number of numbers) field(fields[number]!, places.get(number)!);
    return start;
  };

  const field = (value: Field, at: number): void => {
    if ("u32" in value) put(value.u32, 4, at);
    else if ("u64" in value) put(value.u64, 8, at);
    else if ("pair" in value) value.pair.forEach((part, i) => void put(part, 8, at + 8 * i));
    else {
      const target = bytes.length;
      if ("table" in value) link(at, table(value.table));
      else if ("text" in value) {
        link(at, target);
        put(value.text.length, 4);
        for (const letter of value.text) put(letter.charCodeAt(0), 1);
        put(0, 1);
      } else if ("u64s" in value) {
        link(at, target);
        const start = list(value.u64s.length, 8);
        value.u64s.forEach((entry, i) => void put(entry, 8, start + 8 * i));
      } else if ("shared" in value) {
        link(at, target);
        const start = list(value.times, 4);
        const one = table(value.shared);
        for (let i = 0; i < value.times; i++) link(start + 4 * i, one);
      } else {
        link(at, target);
        const start = list(value.tables.length, 4);
        value.tables.forEach((entry, i) => void link(start + 4 * i, table(entry)));
      }
    }
  };

  link(0, table(root));
  return Uint8Array.from(bytes);
}
