import { NativeError, type NativeErrorCode } from "../error.ts";
import type { QaicBuffer, QaicMapping } from "./host.ts";

/** Questions by their numbers; `native/qaic/host/main.cc` has the other end. */
export const QUESTIONS = { open: 1, call: 2, close: 3 } as const;

/** Bytes before a frame's body: a kind, and a length. */
export const HEAD_BYTES = 12;

/** What the other end counts as failures, in its order. */
const FAILURES: readonly (readonly [code: NativeErrorCode, advice: string])[] = [
  ["run-failed", ""],
  ["input-invalid", ""],
  ["device-failed", "the device is busy: end what uses it, or choose another (--device)"],
  ["device-failed", "the device didn't answer in time: see that nothing else runs on it, then open it again"],
  ["device-failed", "the device was reset while it ran: open it again; if that repeats, see the kernel's log"],
  ["device-failed", ""],
  ["model-invalid", "the runtime doesn't take this QPC: compile it with the SDK that is installed here"],
];

export function failureOf(kind: number, message: string): NativeError {
  if (/Failed to initialize driver|Invalid device/i.test(message))
    return new NativeError(
      "device-missing",
      `${message}: there is no such card here, or its driver isn't loaded (llm doctor)`,
    );
  const [code, advice] = FAILURES[kind] ?? ["device-failed", ""];
  return new NativeError(code, advice === "" ? message : `${advice} (${message})`);
}

export function frame(kind: number, body: Uint8Array): Uint8Array {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32LE(kind, 0);
  head.writeBigUInt64LE(BigInt(body.length), 4);
  return Buffer.concat([head, body]);
}

export function openBody(qpc: string, devices: readonly number[]): Uint8Array {
  return Buffer.concat([text(qpc), u32(devices.length), ...devices.map(u32)]);
}

export function callBody(buffers: readonly QaicBuffer[]): Uint8Array {
  const parts: Uint8Array[] = [u32(buffers.length)];
  for (const buffer of buffers) {
    const { dims, elementBytes, data } = buffer === "kept" ? KEPT : buffer;
    const isWanted = data === "wanted";
    const bytes = isWanted ? new Uint8Array() : data;
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(bytes.length));
    parts.push(u32(elementBytes), u32(dims.length), ...dims.map(u32), u32(isWanted ? 1 : 0), length, bytes);
  }
  return Buffer.concat(parts);
}

/** An empty buffer tells the device to use what it has. */
const KEPT = { dims: [0], elementBytes: 1, data: new Uint8Array() } as const;

function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function text(value: string): Uint8Array {
  const bytes = Buffer.from(value);
  return Buffer.concat([u32(bytes.length), bytes]);
}

/** Takes an answer apart. */
export class Answer {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  u32(): number {
    this.#at += 4;
    return this.#bytes.readUInt32LE(this.#at - 4);
  }

  u64(): number {
    this.#at += 8;
    return Number(this.#bytes.readBigUInt64LE(this.#at - 8));
  }

  text(): string {
    return Buffer.from(this.#take(this.u32())).toString();
  }

  bytes(): Uint8Array {
    return this.#take(this.u64());
  }

  mappings(): readonly QaicMapping[] {
    return Array.from({ length: this.u32() }, () => ({
      name: this.text(),
      isInput: this.u32() !== 0,
      bytes: this.u64(),
      dtype: this.u32(),
      isPartialAllowed: this.u32() !== 0,
    }));
  }

  #take(count: number): Uint8Array {
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }
}
