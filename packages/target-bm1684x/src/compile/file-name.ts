import type { Bm1684xOptions } from "../options.ts";

/**
 * `wizardcoder-15B_F16_2dev.bmodel`, and `wizardcoder-15B_F16_2dev.1.bmodel` for the second of several chips; for one chip in
 * 4 bits `wizardcoder-15B_int4.bmodel`: as people have them.
 */
export function bmodelName(
  { mode, numDevice, name }: Pick<Bm1684xOptions, "mode" | "numDevice" | "name">,
  model: string,
  device = 0,
): string {
  const base = (name || model).replaceAll(/[^\w.-]+/g, "-");
  const part = device === 0 ? "" : `.${device}`;
  return mode === "int4" && numDevice === 1 ? `${base}_int4.bmodel` : `${base}_${mode}_${numDevice}dev${part}.bmodel`;
}
