import { CheckpointError } from "./error.ts";
import { isObject, type Json, type JsonObject } from "./json.ts";

/** Config fields to set, by dotted path: `{ "rope_scaling.factor": 2, position: "alibi" }`. */
export type Overrides = Readonly<Record<string, Json>>;

/**
 * One `--config key=value`: the value is JSON where it reads as JSON, else the text itself.
 *
 * @example parseOverride("rope_scaling.factor=2") // ["rope_scaling.factor", 2]
 */
export function parseOverride(text: string): [path: string, value: Json] {
  const at = text.indexOf("=");
  if (at <= 0) throw new CheckpointError("config-invalid", `"${text}" is not key=value`);
  const value = text.slice(at + 1);
  try {
    return [text.slice(0, at), JSON.parse(value)];
  } catch {
    return [text.slice(0, at), value];
  }
}

/** `config` with the overrides set; objects on the way are made where they are missing. The original stays as it is. */
export function applyOverrides(config: JsonObject, overrides: Overrides): JsonObject {
  let result = config;
  for (const [path, value] of Object.entries(overrides)) {
    const keys = path.split(".");
    if (keys.some((key) => key === "")) throw new CheckpointError("config-invalid", `"${path}" is not a dotted path`);
    result = set(result, keys, value, path);
  }
  return result;
}

function set(node: JsonObject, keys: readonly string[], value: Json, path: string): JsonObject {
  const [key, ...rest] = keys as [string, ...string[]];
  const own = Object.hasOwn(node, key) ? node[key] : undefined;
  return withKey(node, key, rest.length === 0 ? value : child(own, rest, value, path));
}

function child(own: Json | undefined, keys: readonly string[], value: Json, path: string): Json {
  if (own === undefined || own === null) return set({}, keys, value, path);
  if (isObject(own)) return set(own, keys, value, path);
  if (Array.isArray(own)) {
    const index = Number(keys[0]);
    if (Number.isInteger(index) && index >= 0 && index < own.length)
      return own.with(index, keys.length === 1 ? value : child(own[index], keys.slice(1), value, path));
  }
  throw new CheckpointError("config-invalid", `can't set "${path}": there is a value on the way that has no fields`);
}

/** Copies by definition, not by assignment, so that a key named `__proto__` is a key like any other. */
function withKey(node: JsonObject, key: string, value: Json): JsonObject {
  const entries = new Map(Object.entries(node));
  entries.set(key, value);
  return Object.fromEntries(entries);
}
