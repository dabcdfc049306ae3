import { type Model, modelNotFound } from "@llm/protocol";
import type { Generator } from "@llm/toolchain";

/** A model that can be asked for by its name. */
export interface ServedModel {
  readonly id: string;
  /** Opens it: minutes where it must be fetched and exported first, a second where it is ready. */
  open(): Promise<Generator>;
}

/** The models of a server: each is opened when it is first asked for, or at the start. */
export class ModelHost {
  readonly #models: ReadonlyMap<string, ServedModel>;
  readonly #opening = new Map<string, Promise<Generator>>();
  readonly #open = new Map<string, Generator>();
  readonly #created = Math.floor(Date.now() / 1000);

  constructor(models: readonly ServedModel[]) {
    this.#models = new Map(models.map((model) => [model.id, model]));
  }

  get ids(): readonly string[] {
    return [...this.#models.keys()];
  }

  /** True once every model that was to be opened at the start is. */
  get ready(): boolean {
    return this.#open.size > 0;
  }

  /** The models that are open. */
  get loaded(): ReadonlyMap<string, Generator> {
    return this.#open;
  }

  /** The generator of a model, opened where it isn't yet. @throws ApiError for a name that isn't served */
  generator(id: string | null | undefined): Promise<Generator> {
    const name = id ?? this.ids[0];
    const model = this.#models.get(name);
    if (!model) throw modelNotFound(name, this.ids);
    let opening = this.#opening.get(name);
    if (!opening) {
      opening = model.open();
      this.#opening.set(name, opening);
      opening.then(
        (generator) => this.#open.set(name, generator),
        // What failed once may work the next time: a download, a card that was busy.
        () => this.#opening.delete(name),
      );
    }
    return opening;
  }

  list(): Model[] {
    return this.ids.map((id) => this.describe(id));
  }

  describe(id: string): Model {
    if (!this.#models.has(id)) throw modelNotFound(id, this.ids);
    const generator = this.#open.get(id);
    return {
      id,
      object: "model",
      created: this.#created,
      owned_by: "llm",
      ...(generator
        ? { context_length: generator.scheduler.room, chat_template: generator.tokenizer.chatTemplate.origin }
        : {}),
      loaded: generator !== undefined,
    };
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#opening.values()].map(async (opening) => (await opening).close()));
  }
}
