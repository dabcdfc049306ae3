import { NativeError } from "../error.ts";
import type { OrtPort, OrtTensors, OrtWanted } from "./session.ts";
import { elementsOf, ORT_DTYPES, type OrtTensor } from "./tensor.ts";

/** Refuses, by name, what the model would not take; the runtime's own messages come too late to say what to do. */
export function checkCall(file: string, inputs: readonly OrtPort[], given: OrtTensors): void {
  for (const port of inputs) {
    const tensor = given[port.name];
    if (tensor === undefined) throw wrong(file, `input "${port.name}" is missing`);
    checkTensor(file, `input "${port.name}"`, port, tensor);
  }
  for (const name of Object.keys(given))
    if (!inputs.some((port) => port.name === name)) throw wrong(file, `the model has no input "${name}"`);
}

/** The same for what is wanted. */
export function checkWanted(file: string, outputs: readonly OrtPort[], wanted: OrtWanted): void {
  for (const [name, tensor] of Object.entries(wanted)) {
    const port = outputs.find((output) => output.name === name);
    if (port === undefined) throw wrong(file, `the model has no output "${name}"`);
    if (tensor !== null) checkTensor(file, `output "${name}"`, port, tensor);
  }
}

function checkTensor(file: string, what: string, port: OrtPort, { dtype, shape, data }: OrtTensor): void {
  if (dtype !== port.dtype) throw wrong(file, `${what} is ${dtype} and must be ${port.dtype}`);
  const fits =
    shape.length === port.shape.length && port.shape.every((dim, i) => typeof dim === "string" || dim === shape[i]);
  if (!fits) throw wrong(file, `${what} is [${shape.join(", ")}] and must be [${port.shape.join(", ")}]`);
  const size = elementsOf(shape);
  if (!(data instanceof ORT_DTYPES[dtype].array) || data.length !== size)
    throw wrong(
      file,
      `${what} needs ${size} elements of ${dtype}, and got ${data.length} in a ${data.constructor.name}`,
    );
}

function wrong(file: string, reason: string): NativeError {
  return new NativeError("input-invalid", reason, { file });
}
