import { memoryLimit } from "@llm/target/engine";

/** Node, ONNX Runtime's code and the program itself. */
export const RESERVE: number = 160 << 20;

/** Of a machine's memory, what is left to the system, other programs and the files they have in memory. */
const SYSTEM_SHARE = 0.1;

/** Of the memory that may be used, the part that choices leave free. A container's limit is for this program alone. */
export function spareShare(): number {
  return memoryLimit() === undefined ? SYSTEM_SHARE : 0;
}
