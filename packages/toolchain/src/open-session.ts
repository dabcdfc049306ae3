import { openAdapter } from "@llm/checkpoint";
import type { Artefact, Session, Target } from "@llm/target";
import { ToolchainError } from "./error.ts";

/** A folder for each adapter, by the name that requests choose it by. */
export type AdapterFolders = Readonly<Record<string, string>>;

/** Opens an artefact on its device with adapters beside it; says which number of `Row.adapter` each of them has. */
export async function openSession<O>(
  target: Target<O>,
  artefact: Artefact,
  options: O,
  folders: AdapterFolders = {},
): Promise<{ readonly session: Session; readonly adapters: Readonly<Record<string, number>> }> {
  const session = await target.open(artefact, options, { adapter: openAdapter });
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
