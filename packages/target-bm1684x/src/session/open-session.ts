import { NativeError } from "@llm/runtime-native";
import { type BmrtNet, findBmrt, openBmrt } from "@llm/runtime-native/bmrt";
import { type Session, TargetError } from "@llm/target";
import type { Bmodel } from "../bmodel/bmodel.ts";
import { readBmodel } from "../bmodel/read-bmodel.ts";
import { requireToolchain } from "../tools/toolchain.ts";
import { Bm1684xSession } from "./bm1684x-session.ts";
import { findLayout } from "./find-layout.ts";
import type { RolesOf } from "./roles.ts";
import { SharedDevice } from "./shared-device.ts";

export interface OpenSessionOptions {
  /** One for each device, in their order. */
  readonly bmodels: readonly string[];
  readonly roles: RolesOf;
  readonly devices: readonly number[];
  readonly slots: number;
  readonly simulate: boolean;
  /** Where the nets don't say it. */
  readonly vocab?: number;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What the vendor's libraries print. */
  onOutput?(line: string): void;
}

/** Loads bmodels onto their devices and finds the model in them. */
export async function openSession(options: OpenSessionOptions): Promise<Session> {
  const { bmodels, roles, devices, slots, simulate, vocab, env = process.env, onOutput } = options;
  for (const file of bmodels) checkRunnable(file, await readBmodel(file));
  const used = devicesFor(bmodels.length, devices, simulate);
  const opened = await opening(() =>
    openBmrt({
      libraries: findBmrt({ env, ...(simulate ? { simulator: requireToolchain(env).folder } : {}) }),
      devices: used,
      ...(onOutput ? { onOutput } : {}),
    }),
  );
  const bmrt = used.length < bmodels.length ? new SharedDevice(opened, bmodels.length) : opened;
  try {
    const nets: (readonly BmrtNet[])[] = [];
    for (const [device, file] of bmodels.entries()) nets.push(await opening(() => bmrt.load(device, file)));
    return await opening(() => Bm1684xSession.open(bmrt, findLayout(nets, roles, vocab), slots));
  } catch (error) {
    await bmrt.close();
    throw error;
  }
}

/** What the vendor's code would end the process for is refused before. */
function checkRunnable(file: string, { chip, devices }: Bmodel): void {
  if (chip.toUpperCase() !== "BM1684X")
    throw new TargetError("unsupported", `${file} was compiled for ${chip || "an unknown chip"}, not for BM1684X`);
  if (devices > 1)
    throw new TargetError(
      "unsupported",
      `${file} was compiled by the vendor's --num_device for ${devices} chips, which copies all weights to each; ` +
        `compile it again with llm compile --num-device ${devices}`,
    );
}

/** The simulator has one device, on which several chips' nets run one after the other. */
function devicesFor(bmodels: number, devices: readonly number[], simulate: boolean): readonly number[] {
  if (simulate && bmodels > 1) return [0];
  if (devices.length < bmodels)
    throw new TargetError(
      "option-invalid",
      `the model was compiled for ${bmodels} devices: name as many, such as -d ${Array.from({ length: bmodels }, (_, i) => i).join(",")}`,
    );
  if (new Set(devices).size < devices.length)
    throw new TargetError("option-invalid", `device ${devices.join(",")}: one is named twice`);
  return devices.slice(0, bmodels);
}

const CODES = { "runtime-missing": "tool-missing", "model-invalid": "artefact-invalid" } as const;

/** What goes wrong while opening, as an error of this target. */
async function opening<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!NativeError.isInstance(cause)) throw cause;
    const code = CODES[cause.code as keyof typeof CODES] ?? "unsupported";
    throw new TargetError(code, cause.message, { cause });
  }
}
