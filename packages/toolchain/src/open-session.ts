import { openAdapter } from "@llm/checkpoint";
import type { Artefact, OpenEvent, Session, Target } from "@llm/target";
import { ToolchainError } from "./error.ts";
import type { StageEvent } from "./make-ready.ts";

/** A folder for each adapter, by the name that requests choose it by. */
export type AdapterFolders = Readonly<Record<string, string>>;

/** Opens an artefact on its device with adapters beside it; says which number of `Row.adapter` each of them has. */
export async function openSession<O>(
  target: Target<O>,
  artefact: Artefact,
  options: O,
  folders: AdapterFolders = {},
  onEvent: (event: StageEvent) => void = () => {},
): Promise<{ readonly session: Session; readonly adapters: Readonly<Record<string, number>> }> {
  const loading = new Loading(onEvent);
  const session = await target.open(artefact, options, { adapter: openAdapter }, (event) => loading.tell(event));
  loading.end();
  try {
    const adapters: Record<string, number> = {};
    for (const [name, folder] of Object.entries(folders)) {
      if (session.adapter === undefined || session.limits.adapters === 0)
        throw new ToolchainError(
          "option-invalid",
          `adapter ${name}: ${artefact.folder} was made without adapters; open the checkpoint it was made from`,
        );
      adapters[name] = await session.adapter(folder);
    }
    return { session, adapters };
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** What is over sooner needs no display. */
const WORTH_TELLING_MS = 1000;

/** Opening as a stage, where it takes as long as one. */
class Loading {
  readonly #onEvent: (event: StageEvent) => void;
  readonly #began = performance.now();
  #state: "short" | "shown" | "over" = "short";

  constructor(onEvent: (event: StageEvent) => void) {
    this.#onEvent = onEvent;
  }

  tell(event: OpenEvent): void {
    if (event.kind === "note") this.#onEvent(event);
    else if (this.#state === "shown" || (this.#state === "short" && this.#took() >= WORTH_TELLING_MS)) {
      if (this.#state === "short") this.#onEvent({ kind: "begin", stage: "load" });
      this.#state = "shown";
      this.#onEvent({ ...event, kind: "bytes" });
    }
  }

  /** What is told afterwards, of what was on its way, is of no more use. */
  end(): void {
    if (this.#state === "shown")
      this.#onEvent({ kind: "end", name: "load", skipped: false, seconds: this.#took() / 1000 });
    this.#state = "over";
  }

  #took(): number {
    return performance.now() - this.#began;
  }
}

/** The options of a target that make it take adapters, where there are any. */
export function optionsForAdapters(target: Target, folders: AdapterFolders = {}): { readonly adapters?: true } {
  const [name] = Object.keys(folders);
  if (name === undefined) return {};
  if (Object.hasOwn(target.options as object, "adapters")) return { adapters: true };
  throw new ToolchainError(
    "option-invalid",
    `adapter ${name}: target ${target.id} takes none at run time; merge one into the weights with --lora`,
  );
}
