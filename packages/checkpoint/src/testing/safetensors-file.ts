/** A tensor of a test's safetensors file. */
export interface FixtureTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** A safetensors file in memory, for tests. */
export function safetensorsFile(tensors: Readonly<Record<string, FixtureTensor>>): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const [name, { dtype, shape, bytes }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [end, end + bytes.length] };
    end += bytes.length;
  }
  return withHeader(JSON.stringify(header), ...Object.values(tensors).map(({ bytes }) => bytes));
}

/** A file whose header is whatever a test wants it to be. */
export function withHeader(header: string, ...data: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(header);
  const file = new Uint8Array(8 + text.length + data.reduce((sum, bytes) => sum + bytes.length, 0));
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  let at = 8;
  for (const part of [text, ...data]) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}
