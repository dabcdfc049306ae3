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
  refuseUnknown(file, "input", namesOf(inputs), given);
}

/** The same for what is wanted. */
export function checkWanted(file: string, outputs: readonly OrtPort[], wanted: OrtWanted): void {
  refuseUnknown(file, "output", namesOf(outputs), wanted);
  for (const port of outputs) {
    const tensor = wanted[port.name];
    if (tensor) checkTensor(file, `output "${port.name}"`, port, tensor);
  }
}

/** A call of a model with adapters has hundreds of names, at every step: each is looked for once. */
export function refuseUnknown(file: string, what: string, known: ReadonlySet<string>, named: object): void {
  for (const name of Object.keys(named)) if (!known.has(name)) throw wrong(file, `the model has no ${what} "${name}"`);
}

export function namesOf(ports: readonly OrtPort[]): ReadonlySet<string> {
  return new Set(ports.map(({ name }) => name));
}

export function checkTensor(file: string, what: string, port: OrtPort, { dtype, shape, data }: OrtTensor): void {
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

export function wrong(file: string, reason: string): NativeError {
  return new NativeError("input-invalid", reason, { file });
}
