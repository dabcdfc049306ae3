import { NativeError } from "../error.ts";
import { firstLine } from "./first-line.ts";

/** What the system refused, by errno: nothing of that is the model's fault. */
const SYSTEM: Readonly<Record<number, string>> = {
  1: "the system doesn't let this process read it",
  11: "the system gives no more threads; raise the limit of processes (ulimit -u)",
  12: "the system gives no memory; raise the limit (ulimit -v), or close other programs",
  13: "this user may not read it",
  23: "the system has no more open files to give",
  24: "this process may open no more files; raise the limit (ulimit -n)",
};

const ERRNO = /system error number (\d+)|error code: (\d+)|errno:? (\d+)/i;
const NO_MEMORY = /bad_alloc|bad allocation|failed to allocate memory|out of memory/i;
const NO_THREADS = /returned invalid handle|resource temporarily unavailable/i;

/** What ONNX Runtime threw when it was to load a model: what the system couldn't give, or else that it refuses the model. */
export function refusalOf(file: string, cause: unknown): NativeError {
  const said = firstLine(cause);
  const number = ERRNO.exec(said)
    ?.slice(1)
    .find((digits) => digits !== undefined);
  const wanting =
    SYSTEM[Number(number)] ?? (NO_MEMORY.test(said) ? SYSTEM[12] : NO_THREADS.test(said) ? SYSTEM[11] : undefined);
  if (wanting !== undefined) return new NativeError("resources", wanting, { file, cause });
  return new NativeError("model-invalid", `ONNX Runtime refuses this model: ${said}`, { file, cause });
}
