import type { Manifest } from "../artefact.ts";
import type { Json, Target } from "../target.ts";
import type { BuildRequest } from "./build-artefact.ts";

type Asked<O> = Pick<BuildRequest<O>, "target" | "options" | "source" | "model" | "tools">;

/** What an artefact says of itself: what was asked for, and what was made. */
export function manifestOf<O>(
  { target, options, tools = {}, source, model }: Asked<O>,
  { units, files }: Pick<Manifest, "units" | "files">,
): Manifest {
  return {
    schemaVersion: 1,
    target: target.id,
    model,
    options: shapingOptions(target, options),
    tools,
    checkpoint: source.fingerprint,
    units,
    files,
    created: new Date().toISOString(),
  };
}

/** Options as the manifest keeps them: those that shape the artefact, as JSON. */
function shapingOptions<O>(target: Target<O>, options: O): Json {
  const shaping = Object.entries(target.options as Record<string, { shapes: boolean }>).filter(([, def]) => def.shapes);
  const values = options as Readonly<Record<string, Json | undefined>>;
  return Object.fromEntries(shaping.map(([name]) => [name, values[name] ?? null]));
}
