import { CheckpointError } from "../error.ts";
import { isObject, type JsonObject } from "../json.ts";
import { awq } from "./awq.ts";
import { gptq } from "./gptq.ts";
import type { Presenter } from "./layout.ts";

/** AutoRound packs as GPTQ does, or as AWQ does: its config says which. */
export function autoRound(config: JsonObject): Presenter {
  for (const key of ["rotation_config", "spinquant_config"])
    if (isObject(config[key]))
      throw new CheckpointError("quantisation-unsupported", `AutoRound with turned weights (${key}) can't be read`);
  refuseOverrides(config);
  const packing = String(config.packing_format ?? config.backend ?? "auto_round:auto_gptq");
  if (packing.includes("awq")) return awq({ ...config, version: "gemm" });
  if (OWN.test(packing)) return gptq({ ...config, checkpoint_format: "gptq_v2" });
  if (packing.includes("gptq")) return gptq({ ...config, checkpoint_format: "gptq" });
  throw new CheckpointError(
    "quantisation-unsupported",
    `AutoRound in the layout ${JSON.stringify(packing.slice(0, 40))} can't be read (auto_round, gptqmodel, auto_gptq and auto_awq can)`,
  );
}

/** Its own layout, of what isn't symmetric, and GPTQModel's: zero points as they are, where AutoGPTQ's has them less one. */
const OWN = /^auto_?round(:(exllamav2|triton(v2)?))?$|gptqmodel/;

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
