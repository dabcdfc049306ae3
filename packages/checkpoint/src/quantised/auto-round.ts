import { CheckpointError } from "../error.ts";
import { isObject, type JsonObject } from "../json.ts";
import { awq } from "./awq.ts";
import { gptq } from "./gptq.ts";
import type { Presenter } from "./layout.ts";

/** AutoRound packs as GPTQ does, or as AWQ does: its config says which. */
export function autoRound(config: JsonObject): Presenter {
  refuseOverrides(config);
  const packing = String(config.packing_format ?? config.backend ?? "auto_round:auto_gptq");
  if (packing.includes("awq")) return awq({ ...config, version: "gemm" });
  if (packing.includes("gptq")) return gptq({ ...config, checkpoint_format: "gptq" });
  throw new CheckpointError(
    "quantisation-unsupported",
    `AutoRound in the layout ${JSON.stringify(packing.slice(0, 40))} can't be read (auto_gptq and auto_awq can)`,
  );
}

/** `extra_config` has numbers of single layers. Those of 16 bits are plain tensors. */
function refuseOverrides({ extra_config: extra, ...common }: JsonObject): void {
  if (!isObject(extra)) return;
  for (const [layer, own] of Object.entries(extra)) {
    if (!isObject(own) || (typeof own.bits === "number" && own.bits >= 16)) continue;
    for (const key of ["bits", "group_size"] as const)
      if (own[key] !== undefined && own[key] !== common[key])
        throw new CheckpointError(
          "quantisation-unsupported",
          `AutoRound with another ${key} in ${JSON.stringify(layer.slice(0, 60))} than elsewhere can't be read`,
        );
  }
}
