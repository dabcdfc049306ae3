import type { GenerateOptions } from "@llm/generate";
import { ApiError, invalid, type Model, modelNotFound, modelUnavailable, unavailable } from "@llm/protocol";
import type { Generator } from "@llm/toolchain";
import { stopping } from "../http/stopping.ts";
import { withoutPlaces } from "./without-places.ts";

/** What every answer under a name is generated with. */
export type ServedOptions = Pick<GenerateOptions, "adapter" | "speculate">;

/** A model that can be asked for by its name. */
export interface ServedModel {
  readonly id: string;
  readonly options?: ServedOptions;
  /** Other names for it, which are listed as it is. */
  readonly aliases?: readonly string[];
  /** Names that are understood, and not told: where it lies on this machine, say. */
  readonly unlisted?: readonly string[];
  /** Names for it with options of their own: its adapters. */
  readonly variants?: readonly { readonly id: string; readonly options: ServedOptions }[];
  /**
   * Opens it: minutes where it must be fetched and exported first, a second where it is ready.
   * @param signal raised where the server stops and nobody waits for it any more
   */
  open(signal: AbortSignal): Promise<Generator>;
  /** What it will take of the memory budget, in bytes; asked only where there is one. */
  bytes?(signal: AbortSignal): Promise<number>;
}

/** What a name means. */
interface Named {
  readonly id: string;
  readonly model: ServedModel;
  readonly options: ServedOptions;
  /** The model that an adapter changes. */
  readonly parent?: string;
}

/** A model in use: it stays in memory until it is released. */
export interface Lease {
  /** The name that it was asked for by. */
  readonly id: string;
  readonly options: ServedOptions;
  readonly generator: Generator;
  release(): void;
}

interface Entry {
  readonly opening: Promise<Generator>;
  generator?: Generator;
  users: number;
  bytes: number;
  /** When somebody last began or ended to use it, counted. */
  used: number;
}

/** Seconds after which somebody else's answer may have ended. */
const SOON = 5;

/** The models of a server: each is opened when it is first asked for, and closed again when others need its memory. */
export class ModelHost {
  /** By the names that are told. */
  readonly #names: ReadonlyMap<string, Named>;
  readonly #unlisted: ReadonlyMap<string, Named>;
  readonly #budget: number;
  readonly #entries = new Map<string, Entry>();
  /** Models on their way out of memory. */
  readonly #closing = new Map<string, Promise<unknown>>();
  readonly #created = Math.floor(Date.now() / 1000);
  readonly #stopping = new AbortController();
  #clock = 0;

  /** @param budget bytes that open models may take together */
  constructor(models: readonly ServedModel[], budget = Number.POSITIVE_INFINITY) {
    const named = models.flatMap((model): Named[] => {
      const { id, aliases = [], variants = [], options = {} } = model;
      return [
        ...[id, ...aliases].map((name) => ({ id: name, model, options })),
        ...variants.map((each) => ({ ...each, model, options: { ...options, ...each.options }, parent: id })),
      ];
    });
    this.#names = byName(named.map((each) => [each.id, each]));
    const unlisted = models.flatMap(({ id, unlisted = [] }) => unlisted.map((name) => [name, id] as const));
    this.#unlisted = byName(unlisted.map(([name, id]) => [name, this.#names.get(id)!]));
    this.#budget = budget;
  }

  get ids(): readonly string[] {
    return [...this.#names.keys()];
  }

  /** True once a model is open. */
  get ready(): boolean {
    return this.loaded.length > 0;
  }

  /** The models that are open. */
  get loaded(): readonly { readonly id: string; readonly generator: Generator }[] {
    return [...this.#entries].flatMap(([id, { generator }]) => (generator ? [{ id, generator }] : []));
  }

  /** What a request names, or the first model: editors say nothing by "". @throws ApiError for a name that isn't served */
  named(id: string | null | undefined): Named {
    const name = id || this.ids[0];
    const named = this.#names.get(name) ?? this.#unlisted.get(name);
    if (!named) throw modelNotFound(name, this.ids);
    return named;
  }

  /**
   * Holds a model, opened where it isn't yet.
   * @param signal no longer waits, and throws its reason
   * @throws ApiError for a name that isn't served, or where no memory is free
   */
  async lease(id: string | null | undefined, signal?: AbortSignal): Promise<Lease> {
    const { id: name, model, options } = this.named(id);
    let entry = this.#entries.get(model.id);
    if (!entry) {
      entry = { opening: Promise.resolve().then(() => this.#open(model)), users: 0, bytes: 0, used: 0 };
      this.#entries.set(model.id, entry);
    }
    const held = entry;
    this.#use(held, 1);
    let released = false;
    const release = (): void => {
      if (!released) this.#use(held, -1);
      released = true;
    };
    try {
      return { id: name, options, generator: await until(held.opening, signal), release };
    } catch (error) {
      release();
      throw error;
    }
  }

  list(): Model[] {
    return this.ids.map((id) => this.describe(id));
  }

  describe(name: string): Model {
    const { id, model, parent } = this.named(name);
    const generator = this.#entries.get(model.id)?.generator;
    return {
      id,
      object: "model",
      created: this.#created,
      owned_by: "llm",
      ...(parent === undefined ? {} : { parent }),
      ...(generator
        ? { context_length: generator.scheduler.room, chat_template: generator.tokenizer.chatTemplate.origin }
        : {}),
      loaded: generator !== undefined,
    };
  }

  /** Closes a model; whoever names it next has it opened again. */
  drop(name: string, generator: Generator): void {
    const { id } = this.named(name).model;
    if (this.#entries.get(id)?.generator !== generator) return; // another was opened since
    this.#entries.delete(id);
    const closed = generator.close().catch(() => {}); // it is out of use, however it ends
    const closing = Promise.all([this.#closing.get(id), closed]);
    this.#closing.set(id, closing);
    void closing.then(() => {
      if (this.#closing.get(id) === closing) this.#closing.delete(id);
    });
  }

  /** Closes all that are open, and gives up on those that are being opened. */
  async close(): Promise<void> {
    this.#stopping.abort(stopping());
    const open = [...this.#entries.values()].map(async ({ opening }) => (await opening).close());
    await Promise.allSettled([...open, ...this.#closing.values()]);
  }

  #use(entry: Entry, by: 1 | -1): void {
    entry.users += by;
    entry.used = ++this.#clock;
  }

  async #open(model: ServedModel): Promise<Generator> {
    const entry = this.#entries.get(model.id)!;
    const { signal } = this.#stopping;
    try {
      await this.#closing.get(model.id); // a device serves the next one once the last has let go of it
      if (this.#budget !== Number.POSITIVE_INFINITY) {
        const bytes = (await model.bytes?.(signal)) ?? 0;
        this.#makeRoom(model.id, bytes);
        entry.bytes = bytes;
        await Promise.all(this.#closing.values()); // what goes is gone before what comes is read
      }
      entry.generator = await model.open(signal);
      return entry.generator;
    } catch (error) {
      // What failed once may work the next time: a download, a card that was busy.
      this.#entries.delete(model.id);
      throw signal.aborted ? signal.reason : told(model, error);
    }
  }

  /** Closes whoever was unused the longest until there is room; those in use stay. */
  #makeRoom(id: string, bytes: number): void {
    if (bytes > this.#budget)
      throw invalid(
        "model",
        `The model '${id}' needs ${megabytes(bytes)} of memory, and all models together may have ${megabytes(this.#budget)}`,
      );
    const taken = (): number => [...this.#entries.values()].reduce((sum, each) => sum + each.bytes, 0);
    while (taken() + bytes > this.#budget) {
      const idle = [...this.#entries].filter(([, each]) => each.users === 0 && each.generator);
      const [oldest] = idle.toSorted(([, a], [, b]) => a.used - b.used);
      if (!oldest) throw unavailable(`There is no memory for '${id}' while other models are answering`, SOON);
      this.drop(oldest[0], oldest[1].generator!);
    }
  }
}

/** What is waited for, unless the signal comes first. @throws the signal's reason */
async function until<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  const { promise: raised, reject } = Promise.withResolvers<never>();
  const raise = (): void => reject(signal.reason);
  if (signal.aborted) raise();
  signal.addEventListener("abort", raise, { once: true });
  return Promise.race([promise, raised]).finally(() => signal.removeEventListener("abort", raise));
}

/** @throws TypeError where one name stands for two */
function byName(named: readonly (readonly [string, Named])[]): ReadonlyMap<string, Named> {
  const names = new Map(named);
  if (names.size < named.length)
    throw new TypeError(`models have the same name: ${named.map(([name]) => name).join(", ")}`);
  return names;
}

/** Why a model can't be opened, for whoever asked for it. What nobody foresaw stays what it is: its words may be anything. */
function told({ id, unlisted = [] }: ServedModel, error: unknown): unknown {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  const foreseen = error instanceof Error && typeof code === "string" && /^[a-z][a-z-]*$/.test(code);
  if (ApiError.isInstance(error) || !foreseen) return error;
  const line = withoutPlaces(error.message.replaceAll(/\s*\n\s*/g, " "), unlisted, id);
  return modelUnavailable(id, line.startsWith(`${id}: `) ? line.slice(id.length + 2) : line, SOON, error);
}

function megabytes(bytes: number): string {
  return `${Number((bytes / 1e6).toPrecision(4))} MB`;
}
