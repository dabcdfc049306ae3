/** Tar's unit: headers are one, contents are padded to whole ones. */
export const BLOCK = 512;

export interface TarEntry {
  readonly path: string;
  readonly bytes: number;
  /** Seconds since 1970. */
  readonly modified: number;
}

/** Sizes from here on don't fit into octal digits and are written as GNU's tar does: in binary, with the first bit set. */
const OCTAL_LIMIT = 8 ** 11;
const NAME_BYTES = 100;
const SIZE = { at: 124, bytes: 12 } as const;
const CHECKSUM = { at: 148, bytes: 8 } as const;

/** A header that any tar reads. */
export function tarHeader({ path, bytes, modified }: TarEntry): Uint8Array {
  const name = new TextEncoder().encode(path);
  if (name.length > NAME_BYTES) throw new RangeError(`${path}: a packed file's path has at most ${NAME_BYTES} bytes`);
  const header = new Uint8Array(BLOCK);
  const text = (at: number, value: string) => header.set(new TextEncoder().encode(value), at);
  const octal = (at: number, width: number, value: number) => text(at, value.toString(8).padStart(width - 1, "0"));
  header.set(name);
  octal(100, 8, 0o644);
  octal(108, 8, 0);
  octal(116, 8, 0);
  if (bytes < OCTAL_LIMIT) octal(SIZE.at, SIZE.bytes, bytes);
  else {
    header[SIZE.at] = 0x80;
    new DataView(header.buffer).setBigUint64(SIZE.at + 4, BigInt(bytes));
  }
  octal(136, 12, Math.max(0, Math.floor(modified)));
  text(156, "0");
  text(257, "ustar\u000000");
  text(CHECKSUM.at, " ".repeat(CHECKSUM.bytes));
  text(CHECKSUM.at, `${sum(header).toString(8).padStart(6, "0")}\0 `);
  return header;
}

/** Reads a header; undefined for the zeros at the end, and for what is no header. */
export function readTarHeader(header: Uint8Array): TarEntry | undefined {
  if (header.length < BLOCK || header[0] === 0) return undefined;
  const field = (at: number, bytes: number) => {
    const part = header.subarray(at, at + bytes);
    const end = part.indexOf(0);
    return new TextDecoder().decode(end < 0 ? part : part.subarray(0, end)).trim();
  };
  const blank = header.slice();
  blank.fill(0x20, CHECKSUM.at, CHECKSUM.at + CHECKSUM.bytes);
  if (Number.parseInt(field(CHECKSUM.at, CHECKSUM.bytes), 8) !== sum(blank)) return undefined;
  const view = new DataView(header.buffer, header.byteOffset);
  const binary = (header[SIZE.at]! & 0x80) !== 0;
  const bytes = binary ? Number(view.getBigUint64(SIZE.at + 4)) : Number.parseInt(field(SIZE.at, SIZE.bytes), 8);
  return { path: field(0, NAME_BYTES), bytes, modified: Number.parseInt(field(136, 12), 8) };
}

function sum(header: Uint8Array): number {
  return header.reduce((total, byte) => total + byte, 0);
}
