import type { Bmrt, BmrtCommand, BmrtNet } from "@llm/runtime-native/bmrt";

/**
 * Several devices on one: each has nets and buffers of its own there, and what they would do side by side is done one after the
 * other. For the simulator, which has one chip.
 */
export class SharedDevice implements Bmrt {
  readonly devices: number;
  readonly newer: boolean;
  readonly #one: Bmrt;
  /** By device: the numbers that its nets have on the one. */
  readonly #nets: number[][];
  #loaded = 0;

  constructor(one: Bmrt, devices: number) {
    this.#one = one;
    this.devices = devices;
    this.newer = one.newer;
    this.#nets = Array.from({ length: devices }, () => []);
  }

  /** Names of nets must differ: the runtime has them by name. */
  async load(device: number, file: string): Promise<readonly BmrtNet[]> {
    const nets = await this.#one.load(0, file);
    for (const _ of nets) this.#nets[device]!.push(this.#loaded++);
    return nets;
  }

  allocate(_device: number, bytes: number): Promise<number> {
    return this.#one.allocate(0, bytes);
  }

  free(_device: number, buffer: number): Promise<void> {
    return this.#one.free(0, buffer);
  }

  run(commands: readonly BmrtCommand[]): Promise<readonly Uint8Array[]> {
    return this.#one.run(commands.map((command) => this.#onOne(command)));
  }

  close(): Promise<void> {
    return this.#one.close();
  }

  #onOne(command: BmrtCommand): BmrtCommand {
    switch (command.do) {
      case "copy":
        return { ...command, device: 0, fromDevice: 0 };
      case "launch":
        return { ...command, device: 0, net: this.#nets[command.device]![command.net]! };
      case "sum": {
        const here = ({ at }: (typeof command.terms)[number]) => ({ device: 0, at });
        return { ...command, terms: command.terms.map(here), to: command.to.map(here) };
      }
      default:
        return { ...command, device: 0 };
    }
  }
}
