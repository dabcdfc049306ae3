import type { Bmrt, BmrtCommand, BmrtNet, BmrtPlace } from "@llm/runtime-native/bmrt";

export type Launch = Extract<BmrtCommand, { do: "launch" }>;

/** Devices whose memory is this process's, full of numbers that are none until written. Launches are for others to do. */
export abstract class HostBmrt implements Bmrt {
  readonly devices: number;
  readonly newer = true;
  /** "device:net", for whoever does launches to fill. */
  readonly launches: string[] = [];
  /** Bytes that each device was told by others or by the host's sums. */
  readonly told: number[];
  readonly #memory: Float32Array[][];
  #closed = false;

  constructor(devices: number) {
    this.devices = devices;
    this.#memory = Array.from({ length: devices }, () => []);
    this.told = Array.from({ length: devices }, () => 0);
  }

  abstract load(device: number): Promise<readonly BmrtNet[]>;

  protected abstract launch(launch: Launch): void;

  async allocate(device: number, bytes: number): Promise<number> {
    if (this.#closed) throw new Error("closed");
    return this.#memory[device]!.push(new Float32Array(Math.ceil(bytes / 4)).fill(Number.NaN)) - 1;
  }

  async free(): Promise<void> {}

  async run(commands: readonly BmrtCommand[]): Promise<readonly Uint8Array[]> {
    const read: Uint8Array[] = [];
    for (const command of commands) this.#do(command, read);
    return read;
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  protected floats(device: number, place: BmrtPlace, bytes: number): Float32Array {
    const { buffer, byteOffset } = this.#bytes(device, place, bytes);
    return new Float32Array(buffer as ArrayBuffer, byteOffset, bytes / 4);
  }

  #do(command: BmrtCommand, read: Uint8Array[]): void {
    switch (command.do) {
      case "write":
        this.#bytes(command.device, command.to, command.data.length).set(command.data);
        return;
      case "read":
        read.push(this.#bytes(command.device, command.from, command.bytes).slice());
        return;
      case "copy": {
        const from = this.#bytes(command.fromDevice, command.from, command.bytes).slice();
        this.#bytes(command.device, command.to, command.bytes).set(from);
        if (command.device !== command.fromDevice) this.told[command.device]! += command.bytes;
        return;
      }
      case "sum": {
        const { bytes, terms, to } = command;
        const sum = new Float32Array(bytes / 4);
        for (const { device, at } of terms) for (const [i, x] of this.floats(device, at, bytes).entries()) sum[i]! += x;
        for (const { device, at } of to) {
          this.floats(device, at, bytes).set(sum);
          this.told[device]! += bytes;
        }
        return;
      }
      case "launch":
        this.launch(command);
    }
  }

  #bytes(device: number, [buffer, offset]: BmrtPlace, bytes: number): Uint8Array {
    const memory = this.#memory[device]![buffer]!;
    if (offset + bytes > memory.byteLength) throw new Error(`${bytes} bytes at ${offset} of ${memory.byteLength}`);
    return new Uint8Array(memory.buffer, offset, bytes);
  }
}
