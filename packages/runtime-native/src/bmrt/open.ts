import { AddonBmrt } from "./addon-device.ts";
import type { Bmrt, BmrtOptions } from "./device.ts";
import { IsolatedBmrt } from "./isolated-device.ts";

/**
 * Opens devices.
 *
 * @example
 * const bmrt = await openBmrt({ libraries: findBmrt(), devices: [0, 1] });
 * const nets = await bmrt.load(0, "model.bmodel");
 * await bmrt.close();
 */
export function openBmrt(options: BmrtOptions): Promise<Bmrt> {
  return options.isolated === false ? AddonBmrt.open(options) : IsolatedBmrt.open(options);
}
