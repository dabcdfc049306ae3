import { type AddonNet, addon, addonStatus, type BmrtAddon, type DevicesHandle } from "../addon.ts";
import { NativeError } from "../error.ts";
import { ADDRESS_MODES, BMRT_DTYPES, type Bmrt, type BmrtCommand, type BmrtNet, type BmrtOptions } from "./device.ts";
import { failure } from "./failure.ts";

/** The vendor's libraries in this very process. */
export class AddonBmrt implements Bmrt {
  readonly devices: number;
  readonly newer: boolean;
  readonly #addon: BmrtAddon;
  #handle: DevicesHandle | undefined;

  private constructor(native: BmrtAddon, handle: DevicesHandle, newer: boolean, devices: number) {
    this.#addon = native;
    this.#handle = handle;
    this.newer = newer;
    this.devices = devices;
  }

  static async open({ libraries, devices = [0] }: BmrtOptions): Promise<AddonBmrt> {
    const native = addon()?.bmrt;
    if (native === undefined) {
      const status = addonStatus();
      const why = status.state === "loaded" ? "it has no part for BM1684X; build it again" : status.reason;
      throw new NativeError("runtime-missing", `BM1684X needs the addon: ${why}`);
    }
    if (libraries.firmware !== undefined) {
      // Read by the simulator when its first device is asked for.
      process.env.TPUKERNEL_FIRMWARE_PATH = libraries.firmware;
      native.restWhileWaiting(libraries.firmware);
    }
    try {
      const { handle, newer } = await native.open(libraries.bmlib, libraries.bmrt, devices);
      return new AddonBmrt(native, handle, newer, devices.length);
    } catch (error) {
      throw failure(error, "runtime-version");
    }
  }

  async load(device: number, file: string): Promise<readonly BmrtNet[]> {
    try {
      return (await this.#addon.load(this.#open(), device, file)).map(netOf);
    } catch (error) {
      throw failure(error, "model-invalid", file);
    }
  }

  allocate(device: number, bytes: number): Promise<number> {
    return this.#call((handle) => this.#addon.allocate(handle, device, bytes));
  }

  free(device: number, buffer: number): Promise<void> {
    return this.#call((handle) => this.#addon.free(handle, device, buffer));
  }

  run(commands: readonly BmrtCommand[]): Promise<readonly Uint8Array[]> {
    return this.#call((handle) => this.#addon.run(handle, commands));
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    if (handle !== undefined) await this.#addon.close(handle);
  }

  #open(): DevicesHandle {
    if (this.#handle === undefined) throw new NativeError("closed", "the devices are closed");
    return this.#handle;
  }

  async #call<T>(work: (handle: DevicesHandle) => Promise<T>): Promise<T> {
    const handle = this.#open();
    try {
      return await work(handle);
    } catch (error) {
      throw failure(error, "run-failed");
    }
  }
}

function netOf({ addressMode, inputs, outputs, stages, ...net }: AddonNet): BmrtNet {
  const mode = ADDRESS_MODES[addressMode];
  const port = ({ name, dtype }: AddonNet["inputs"][number]) => {
    const known = BMRT_DTYPES[dtype];
    if (known === undefined)
      throw new NativeError("runtime-version", `"${name}" of ${net.name} has a type that is not known (${dtype})`);
    return { name, dtype: known };
  };
  const stagePort = ({ shape, bytes, buffer }: AddonNet["stages"][number]["inputs"][number]) => ({
    shape,
    bytes,
    ...(buffer < 0 ? {} : { buffer }),
  });
  return {
    ...net,
    ...(mode === undefined ? {} : { addressMode: mode }),
    inputs: inputs.map(port),
    outputs: outputs.map(port),
    stages: stages.map((stage) => ({ inputs: stage.inputs.map(stagePort), outputs: stage.outputs.map(stagePort) })),
  };
}
