import { GrammarError } from "../error.ts";
import { isObject, isSchema, type Json, type Schema } from "./schema.ts";

/** Finds what `$ref` names inside one document; nothing is ever fetched. */
export class References {
  readonly #root: Schema;
  readonly #anchors = new Map<string, Schema>();

  constructor(root: Schema) {
    this.#root = root;
    this.#index(root as Json);
  }

  resolve(reference: string): Schema {
    const own = isObject(this.#root) && typeof this.#root.$id === "string" ? this.#root.$id : "";
    const local = own !== "" && reference.startsWith(own) ? reference.slice(own.length) || "#" : reference;
    if (!local.startsWith("#")) {
      throw new GrammarError(
        "unsupported",
        `"$ref": "${reference}" points outside the schema; put what it names under "$defs"`,
      );
    }
    const target = local === "#" || local.startsWith("#/") ? this.#pointer(local) : this.#anchors.get(local.slice(1));
    if (!isSchema(target as Json))
      throw new GrammarError("syntax", `"$ref": "${reference}" names nothing in the schema`);
    return target as Schema;
  }

  #pointer(reference: string): Json | undefined {
    let at: Json | undefined = this.#root as Json;
    for (const part of reference.split("/").slice(1)) {
      const key = decode(part, reference).replaceAll("~1", "/").replaceAll("~0", "~");
      if (isObject(at)) at = Object.hasOwn(at, key) ? at[key] : undefined;
      else at = Array.isArray(at) ? at[Number(key)] : undefined;
    }
    return at;
  }

  #index(value: Json): void {
    const stack: Json[] = [value];
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      if (isObject(at)) {
        if (typeof at.$anchor === "string") this.#anchors.set(at.$anchor, at);
        stack.push(...Object.values(at));
      } else if (Array.isArray(at)) stack.push(...at);
    }
  }
}

function decode(part: string, reference: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw new GrammarError("syntax", `"$ref": "${reference}" is not a valid pointer`, { cause });
  }
}
