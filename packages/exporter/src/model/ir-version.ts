import { ExportError } from "../error.ts";

/** ONNX's own domain. */
export const ONNX_DOMAIN = "";

/**
 * Which IR version came with each opset of ONNX's own domain (the ONNX release notes' table of versions). Before 13, axes of
 * Squeeze and its like are attributes.
 */
const IR_VERSIONS: Readonly<Record<number, number>> = {
  13: 7,
  14: 7,
  15: 8,
  16: 8,
  17: 8,
  18: 8,
  19: 9,
  20: 9,
  21: 10,
  22: 10,
  23: 11,
  24: 12,
  25: 13,
};

/** The first IR version whose files define functions. */
const FUNCTIONS_SINCE = 8;

/** The oldest IR version that a model of these opsets may say, so that the most runtimes take it. */
export function irVersionOf(opsets: Readonly<Record<string, number>>, hasFunctions = false): number {
  const opset = opsets[ONNX_DOMAIN];
  const version = opset === undefined ? undefined : IR_VERSIONS[opset];
  if (version === undefined)
    throw new ExportError("unsupported-opset", `opset ${opset} can't be written; choose one from 13 to 25`);
  return hasFunctions ? Math.max(version, FUNCTIONS_SINCE) : version;
}
