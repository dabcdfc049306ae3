import { totalmem } from "node:os";

/** Node, ONNX Runtime's code and the program itself. */
export const RESERVE: number = 160 << 20;

/** What this process may use: a container's limit, where there is one. */
export function usableMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 && limit < totalmem() ? limit : totalmem();
}
