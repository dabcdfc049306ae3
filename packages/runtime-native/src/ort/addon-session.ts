import type { AddonPort, OpenedSession, OrtAddon, SessionHandle, TensorHandle } from "../addon.ts";
import { NativeError } from "../error.ts";
import { searchFields } from "./best.ts";
import { checkTensor, namesOf, refuseUnknown, wrong } from "./checks.ts";
import { firstLine } from "./first-line.ts";
import { refusalOf } from "./refusal.ts";
import {
  configOf,
  type OrtOptions,
  type OrtPort,
  type OrtRunOptions,
  type OrtSession,
  type OrtTensors,
  type OrtWanted,
} from "./session.ts";
import { ORT_DTYPES, type OrtArray, type OrtDType, type OrtTensor } from "./tensor.ts";

const DTYPE_OF = new Map(Object.entries(ORT_DTYPES).map(([dtype, { code }]) => [code, dtype as OrtDType]));

/** The addon, and the library that it drives. */
export interface OrtBackend {
  readonly addon: OrtAddon;
  readonly library: string;
}

/** An input or output with what it was last given: tensors that come again are looked at once. */
interface Place {
  readonly port: OrtPort;
  readonly what: string;
  tensor?: OrtTensor;
  handle?: TensorHandle;
}

/** A model behind ONNX Runtime's C functions: runs happen on another thread, and tensors are read and written in place. */
export class AddonOrtSession implements OrtSession {
  readonly backend = "addon";
  readonly version: string;
  readonly inputs: readonly OrtPort[];
  readonly outputs: readonly OrtPort[];
  readonly #file: string;
  readonly #ort: OrtBackend;
  readonly #handles = new WeakMap<OrtTensor, TensorHandle>();
  readonly #inputNames: ReadonlySet<string>;
  readonly #outputNames: ReadonlySet<string>;
  readonly #given: readonly Place[];
  readonly #wanted: readonly Place[];
  #session: SessionHandle | undefined;

  private constructor(file: string, ort: OrtBackend, { handle, inputs, outputs }: OpenedSession) {
    this.#file = file;
    this.#ort = ort;
    this.#session = handle;
    this.version = ort.addon.version(ort.library);
    this.inputs = inputs.map((port) => portOf(file, port));
    this.outputs = outputs.map((port) => portOf(file, port));
    this.#inputNames = namesOf(this.inputs);
    this.#outputNames = namesOf(this.outputs);
    this.#given = this.inputs.map((port) => ({ port, what: `input "${port.name}"` }));
    this.#wanted = this.outputs.map((port) => ({ port, what: `output "${port.name}"` }));
  }

  static async open(file: string, options: OrtOptions, ort: OrtBackend): Promise<AddonOrtSession> {
    const { threads = 0, arena = false, kernels = true, panels, onPanels } = options;
    let opened: OpenedSession;
    try {
      const config = Object.entries(configOf(options));
      const progress = (done: number, total: number) => onPanels?.({ kind: "progress", done, total });
      const kept = panels === undefined ? {} : { panels, progress };
      opened = await ort.addon.open(ort.library, file, { threads, arena, kernels, config, ...kept });
    } catch (cause) {
      throw refusalOf(file, cause);
    }
    if (opened.unkept !== undefined) onPanels?.({ kind: "unkept", reason: `${panels}: ${opened.unkept}` });
    return new AddonOrtSession(file, ort, opened);
  }

  async run(
    inputs: OrtTensors,
    wanted: OrtWanted,
    { best = [], tidy = false, here = false }: OrtRunOptions = {},
  ): Promise<OrtTensors> {
    const session = this.#session;
    if (session === undefined) throw new NativeError("closed", "this model is closed", { file: this.#file });
    refuseUnknown(this.#file, "input", this.#inputNames, inputs);
    refuseUnknown(this.#file, "output", this.#outputNames, wanted);
    const given = this.#given.map((place) => {
      const tensor = inputs[place.port.name];
      if (tensor === undefined) throw wrong(this.#file, `${place.what} is missing`);
      return this.#at(place, tensor);
    });
    const asked = this.#wanted.map((place) => {
      const tensor = wanted[place.port.name];
      return tensor ? this.#at(place, tensor) : tensor;
    });
    try {
      const { addon } = this.#ort;
      const call = [session, given, asked, best.map(searchFields), tidy] as const;
      const made = here ? addon.runHere(...call) : await addon.run(...call);
      const results: Record<string, OrtTensor> = {};
      this.outputs.forEach(({ name, dtype }, i) => {
        const tensor = wanted[name];
        const fresh = made[i];
        if (tensor) results[name] = tensor;
        else if (fresh) results[name] = { dtype, shape: fresh.shape, data: arrayOver(dtype, fresh.data) };
      });
      return results;
    } catch (cause) {
      throw new NativeError("run-failed", `ONNX Runtime: ${firstLine(cause)}`, { file: this.#file, cause });
    }
  }

  async close(): Promise<void> {
    if (this.#session !== undefined) this.#ort.addon.close(this.#session);
    this.#session = undefined;
  }

  /** What the runtime is given for a place. */
  #at(place: Place, tensor: OrtTensor): TensorHandle {
    // Memory that was sent to another thread since is no longer of the right length.
    if (tensor !== place.tensor || place.handle === undefined || tensor.data.length === 0) {
      checkTensor(this.#file, place.what, place.port, tensor);
      place.handle = this.#handle(tensor);
      place.tensor = tensor;
    }
    return place.handle;
  }

  #handle(tensor: OrtTensor): TensorHandle {
    let handle = this.#handles.get(tensor);
    if (handle === undefined) {
      const { code } = ORT_DTYPES[tensor.dtype];
      handle = this.#ort.addon.tensor(this.#ort.library, code, tensor.shape, tensor.data);
      this.#handles.set(tensor, handle);
    }
    return handle;
  }
}

function arrayOver(dtype: OrtDType, buffer: ArrayBuffer): OrtArray {
  const { array } = ORT_DTYPES[dtype];
  return new array(buffer);
}

function portOf(file: string, { name, type, shape }: AddonPort): OrtPort {
  const dtype = DTYPE_OF.get(type);
  if (dtype === undefined) throw new NativeError("model-invalid", `"${name}" is no tensor of numbers`, { file });
  return { name, dtype, shape };
}
