import { TargetError } from "@llm/target";
import { codecOf } from "@llm/tensor";

/** Which format the weights of some names are rounded to; none: they stay as they are. */
export interface FormatRule {
  readonly match: string;
  readonly format?: string;
  readonly group?: number;
}

const EXACT = new Set(["fp32", "f32", "none"]);

/**
 * Rules of `--format-rules`: NAME=FORMAT or NAME=FORMAT:GROUP, where `*` in a name stands for any part of one.
 *
 * @example
 * parseFormatRules(["lm_head.*=fp32", "*.layers.0.*=int8:64"]);
 */
export function parseFormatRules(rules: readonly string[]): readonly FormatRule[] {
  return rules.map((rule) => {
    const at = rule.lastIndexOf("=");
    const [format = "", group] = rule.slice(at + 1).split(":");
    const match = rule.slice(0, Math.max(0, at)).trim();
    if (match === "" || format === "" || (group !== undefined && !/^\d+$/.test(group)))
      throw new TargetError("option-invalid", `--format-rules has NAME=FORMAT[:GROUP] between commas, not "${rule}"`);
    if (EXACT.has(format)) return { match };
    const spec = { format, ...(group === undefined ? {} : { group: Number(group) }) };
    try {
      codecOf(spec);
    } catch (error) {
      throw new TargetError("option-invalid", `--format-rules ${rule}: ${(error as Error).message}`, { cause: error });
    }
    return { match, ...spec };
  });
}
