import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { addonStatus } from "@llm/runtime-native";
import type { BmrtLibraries, BmrtNet } from "@llm/runtime-native/bmrt";

/** The vendor's libraries as runtime-native's tests have them: any number of devices, failures at will, and a log. */
const SOURCE = fileURLToPath(new URL("../../../runtime-native/native-testing/stand_in_bmrt.c", import.meta.url));

/** Why there is none; undefined where there is. */
export function missingStandIn(): string | undefined {
  const able = addonStatus().state === "loaded" && spawnSync("cc", ["--version"], { stdio: "ignore" }).status === 0;
  return able || process.env.LLM_TEST_REQUIRE_ALL === "1" ? undefined : "needs the addon and cc";
}

export function standIn(folder: string): BmrtLibraries {
  const file = join(folder, "libstand_in.so");
  execFileSync("cc", ["-shared", "-fPIC", "-O1", "-o", file, SOURCE]);
  return { bmlib: file, bmrt: file };
}

/** A file that the stand-in loads as these nets: what they compute is a sum of what they are given, of the right shapes. */
export function standInBmodel(folder: string, name: string, nets: readonly BmrtNet[]): string {
  const file = join(folder, name);
  const ports = (of: BmrtNet["inputs"], shapes: readonly { readonly shape: readonly number[] }[]) =>
    of.map(({ dtype }, i) => [dtype === "i32" ? 6 : 0, shapes[i]!.shape.length, ...shapes[i]!.shape].join(" "));
  const lines = nets.flatMap(({ name: net, inputs, outputs, stages }) => [
    `${net} ${inputs.length} ${outputs.length} -${stages.length}`,
    ...stages.flatMap((stage) => [...ports(inputs, stage.inputs), ...ports(outputs, stage.outputs)]),
  ]);
  writeFileSync(file, `${[`nets ${nets.length}`, ...lines].join("\n")}\n`);
  return file;
}
