import { CheckpointError } from "../error.ts";
import type { BinaryFile } from "../files/binary-file.ts";
import { findInGgufArray, readGgufArray } from "./header.ts";
import { type GgufHeader, type GgufTensor, type GgufValue, isArray } from "./types.ts";

/** A GGUF file's metadata by key; `{arch}` in a key is its architecture's name. It remembers what was asked for. */
export class Metadata {
  readonly architecture: string;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  readonly #file: BinaryFile;
  readonly #values: ReadonlyMap<string, GgufValue>;
  readonly #asked = new Set<string>();

  constructor(file: BinaryFile, { metadata }: GgufHeader, tensors: readonly GgufTensor[]) {
    this.#file = file;
    this.#values = metadata;
    this.tensors = new Map(tensors.map((tensor) => [tensor.name, tensor]));
    this.architecture = this.text("general.architecture") ?? "";
    if (this.architecture === "") throw this.error("has no general.architecture: what kind of model it is");
  }

  get path(): string {
    return this.#file.path;
  }

  error(reason: string): CheckpointError {
    return new CheckpointError("config-invalid", reason, { file: this.#file.path });
  }

  #get(key: string): GgufValue | undefined {
    const full = key.replace("{arch}", this.architecture);
    this.#asked.add(full);
    return this.#values.get(full);
  }

  /** Names of all keys that begin so. */
  keys(prefix: string): string[] {
    return [...this.#values.keys()].filter((key) => key.startsWith(prefix));
  }

  /** What begins so and nobody asked for. */
  leftOver(prefix: string): [key: string, value: GgufValue][] {
    return [...this.#values].filter(([key]) => key.startsWith(prefix) && !this.#asked.has(key));
  }

  has(key: string): boolean {
    return this.#get(key) !== undefined;
  }

  text(key: string): string | undefined {
    return this.#typed(key, "string") as string | undefined;
  }

  flag(key: string): boolean | undefined {
    return this.#typed(key, "boolean") as boolean | undefined;
  }

  number(key: string): number | undefined {
    const value = this.#typed(key, "number") as number | undefined;
    // Written as 32-bit floats: 0.00001 would come back as 0.000009999999747378752.
    return value === undefined || Number.isInteger(value) ? value : Number.parseFloat(value.toPrecision(7));
  }

  /** A number that the model can't be without. */
  required(key: string): number {
    const value = this.number(key);
    if (value === undefined) throw this.error(`has no ${key.replace("{arch}", this.architecture)}`);
    return value;
  }

  /** A size that older converters left to the tensors: to an axis of this one, in whichever block has it. */
  sizeOf(key: string, tensor: string, axis: number): number {
    const said = this.number(key);
    if (said !== undefined) return said;
    for (const [name, { shape }] of this.tensors)
      if (/^blk\.\d+\./.test(name) && name.endsWith(`.${tensor}.weight`)) return shape[axis] ?? this.required(key);
    return this.required(key);
  }

  /** A number that may be given for each block; undefined when blocks differ and one number can't say it. */
  async uniform(key: string): Promise<number | undefined> {
    if (!isArray(this.#get(key))) return this.number(key);
    const values = await this.numbers(key);
    const [first] = values!;
    if (values!.some((value) => value !== first))
      throw this.error(
        `has a different ${key.replace("{arch}", this.architecture)} in each block, which no known model has`,
      );
    return first;
  }

  async numbers(key: string): Promise<number[] | undefined> {
    const values = await this.#array(key);
    if (values?.some((value) => typeof value !== "number")) throw this.error(`${key} is not a list of numbers`);
    return values as number[] | undefined;
  }

  /** A truth value for each block; undefined when there is no such list. */
  async flags(key: string): Promise<boolean[] | undefined> {
    if (!isArray(this.#get(key))) return undefined;
    const values = await this.#array(key);
    if (values?.some((value) => typeof value !== "boolean")) throw this.error(`${key} is not a list of truth values`);
    return values as boolean[] | undefined;
  }

  async texts(key: string): Promise<string[] | undefined> {
    const values = await this.#array(key);
    if (values?.some((value) => typeof value !== "string")) throw this.error(`${key} is not a list of texts`);
    return values as string[] | undefined;
  }

  /** Where in a list of texts these stand, in the list's order; nowhere when there is no such list. */
  async indicesOf(key: string, texts: readonly string[]): Promise<number[]> {
    const value = this.#get(key);
    return isArray(value) ? findInGgufArray(this.#file, value, texts) : [];
  }

  /** The bytes of an array of one-byte numbers. */
  async bytes(key: string): Promise<Uint8Array | undefined> {
    const value = this.#get(key);
    return isArray(value) && value.type <= 1 ? this.#file.read(value.offset, value.length) : undefined;
  }

  /** A small float32 tensor's values: rope factors, which configs hold as lists. */
  async floats(name: string, limit: number): Promise<number[] | undefined> {
    const tensor = this.tensors.get(name);
    if (!tensor) return undefined;
    if (tensor.type !== 0 || tensor.length > limit * 4)
      throw this.error(`tensor ${name} is not a short list of floats`);
    const bytes = await this.#file.read(tensor.offset, tensor.length);
    return Array.from(new Float32Array(bytes.buffer));
  }

  #typed(key: string, type: "string" | "boolean" | "number"): GgufValue | undefined {
    const value = this.#get(key);
    if (value !== undefined && typeof value !== type)
      throw this.error(`${key.replace("{arch}", this.architecture)} is not a ${type}`);
    return value;
  }

  async #array(key: string): Promise<GgufValue[] | undefined> {
    const value = this.#get(key);
    if (value === undefined) return undefined;
    if (!isArray(value)) throw this.error(`${key.replace("{arch}", this.architecture)} is not a list`);
    return readGgufArray(this.#file, value);
  }
}
