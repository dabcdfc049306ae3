import { describeMesh } from "@llm/core-ir";
import { type Prompt, Generator as TextGenerator } from "@llm/generate";
import { type Mesh, toMesh } from "@llm/target/mesh";
import type { Tokenizer } from "@llm/tokenizer-bpe";
import { ToolchainError } from "./error.ts";
import { checkGeneratorOptions, type GeneratorOptions } from "./generator-options.ts";
import { openDraft } from "./open-draft.ts";
import { openRunnable, type Runnable } from "./open-runnable.ts";
import { readPrefix, writePrefix } from "./prefix-file.ts";

/** The generator of `@llm/generate`, with a way to get one from a checkpoint's name. */
export class Generator extends TextGenerator<Tokenizer> {
  readonly runnable: Runnable;
  readonly #draft: Runnable | undefined;

  private constructor(runnable: Runnable, tokenizer: Tokenizer, draft?: Runnable) {
    const scheduler = draft ? { draft: draft.session } : {};
    const { session, adapters } = runnable;
    super({ session, tokenizer, defaults: runnable.defaults, scheduler, adapters });
    this.runnable = runnable;
    this.#draft = draft;
  }

  /**
   * A MODEL or an exported folder, ready to generate: fetched, exported and compiled where that hasn't been done.
   * `batchSize` is how many sequences run at once; more wait. `targetOptions` are the target's own: its number format, its context.
   *
   * @example
   * const generator = await Generator.fromPretrained("bigcode/tiny_starcoder_py", { token });
   * const { text } = await generator.generate("def hello():", { maxNewTokens: 32 });
   * await generator.close();
   */
  static async fromPretrained(model?: string, options: GeneratorOptions = {}): Promise<Generator> {
    await checkGeneratorOptions(options);
    const { draftModel, ...opening } = options;
    const runnable = await openRunnable(model, { ...opening, needsTokenizer: true });
    return Generator.#beside(runnable, async (tokenizer) =>
      draftModel === undefined
        ? undefined
        : openDraft(draftModel, { model: runnable.card.name, tokenizer, options: opening }),
    );
  }

  /** Over what is open already, beside a draft model that is opened now; all is closed again where that can't be. */
  static async #beside(
    runnable: Runnable,
    openTheDraft: (tokenizer: Tokenizer) => Promise<Runnable | undefined>,
  ): Promise<Generator> {
    let draft: Runnable | undefined;
    try {
      const tokenizer = await runnable.tokenizer();
      draft = await openTheDraft(tokenizer);
      return new Generator(runnable, tokenizer, draft);
    } catch (error) {
      await draft?.close();
      await runnable.close();
      throw error;
    }
  }

  /**
   * The same model shared between devices, "2x2" or `{ dp, mp, pp }`, with the same draft model beside it; this generator is closed
   * once the other is open.
   *
   * @example
   * const shared = await generator.shard({ dp: 1, mp: 2 });
   */
  async shard(mesh: string | Partial<Mesh>): Promise<Generator> {
    const sharded = await Generator.#beside(await this.runnable.reopen({ mesh }), async () => this.#draft?.reopen({}));
    await this.close();
    return sharded;
  }

  /** Which slice of which tensor lives where, as text; of the mesh that it runs on unless another is named. */
  describeMesh(mesh?: string | Partial<Mesh>): string {
    const { graph, mesh: own, card } = this.runnable;
    if (!graph)
      throw new ToolchainError(
        "input-invalid",
        `${card.name} was opened as an artefact: open its checkpoint to see its mesh`,
      );
    return describeMesh(graph, mesh === undefined ? own : toMesh(mesh));
  }

  /**
   * Writes what the model computed of a text that prompts will begin with to a file, and says how large that is. It belongs to
   * this model in this precision.
   *
   * @example
   * await generator.savePrefixTo("system.prefix", systemPrompt); // once
   * await generator.restorePrefixFrom("system.prefix"); // in every program after it
   */
  async savePrefixTo(file: string, prompt: Prompt): Promise<{ readonly bytes: number }> {
    const saved = await this.savePrefix(prompt);
    await writePrefix(file, saved);
    return { bytes: saved.length };
  }

  /** Puts a saved beginning back into the cache; returns how many tokens it has. */
  async restorePrefixFrom(file: string): Promise<number> {
    return this.restorePrefix(await readPrefix(file));
  }

  /** Over what is open already; closing the generator closes it. */
  static async over(runnable: Runnable): Promise<Generator> {
    return Generator.#beside(runnable, async () => undefined);
  }

  /** Ends everything under way, then closes the session and the checkpoint. */
  override async close(): Promise<void> {
    await super.close();
    await this.#draft?.close();
    await this.runnable.close();
  }
}
