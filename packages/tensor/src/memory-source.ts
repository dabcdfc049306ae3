import { createHash } from "node:crypto";
import { TensorError } from "./error.ts";
import type { Span, StoredTensor, WeightSource } from "./source.ts";
import type { Tensor } from "./tensor.ts";

/** A stored tensor together with the bytes of its parts. */
export interface StoredInMemory extends Omit<StoredTensor, "name" | "parts"> {
  readonly parts: Readonly<Record<string, Uint8Array>>;
}

/** A checkpoint held in memory: a stand-in for tests and small experiments. Each part is a file of its own. */
export function memorySource(tensors: Readonly<Record<string, Tensor | StoredInMemory>>): WeightSource {
  const files = new Map<string, Uint8Array>();
  const stored = new Map<string, StoredTensor>();
  for (const [name, tensor] of Object.entries(tensors)) {
    const { parts: bytes, ...facts } =
      "parts" in tensor ? tensor : { shape: tensor.shape, format: tensor.dtype, parts: { data: bytesOf(tensor) } };
    const parts: Record<string, Span> = {};
    for (const [part, data] of Object.entries(bytes)) {
      const file = `/memory/${name}/${part}`;
      files.set(file, data);
      parts[part] = { file, offset: 0, length: data.length };
    }
    stored.set(name, { ...facts, name, parts });
  }
  let fingerprint: string | undefined;
  return {
    get fingerprint() {
      return (fingerprint ??= hash(stored, files));
    },
    names: () => stored.keys(),
    get: (name) => stored.get(name),
    read: async (span, into) => {
      const bytes = files.get(span.file)?.subarray(span.offset, span.offset + span.length);
      if (bytes?.length !== span.length || into.length !== span.length)
        throw new TensorError("stored-invalid", `${span.file} has no ${span.length} bytes at ${span.offset}`);
      into.set(bytes);
    },
  };
}

function bytesOf({ data }: Tensor): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function hash(stored: ReadonlyMap<string, StoredTensor>, files: ReadonlyMap<string, Uint8Array>): string {
  const sha = createHash("sha256").update(JSON.stringify([...stored]));
  for (const bytes of files.values()) sha.update(bytes);
  return sha.digest("hex");
}
