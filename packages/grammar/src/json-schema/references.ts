import { GrammarError } from "../error.ts";
import { isObject, isSchema, type Json, type Schema, schemasIn } from "./schema.ts";

/** Finds what `$ref` names inside one document; nothing is ever fetched. */
export class References {
  readonly root: Schema;
  readonly #anchors = new Map<string, Schema>();
  /** The name of a document inside this one: what its references say is about itself. */
  #inner: string | undefined;

  constructor(root: Schema) {
    this.root = root;
    this.#index(root as Json);
  }

  /** @throws GrammarError for what isn't there, and for what isn't known to be meant */
  resolve(reference: string): Schema {
    const local = this.#local(reference);
    if (!local.startsWith("#")) {
      throw new GrammarError(
        "unsupported",
        `"$ref": "${reference}" points outside the schema; put what it names under "$defs"`,
      );
    }
    if (this.#inner !== undefined) {
      throw new GrammarError(
        "unsupported",
        `"$id": "${this.#inner}" inside the schema changes what "$ref": "${reference}" names; leave it out`,
      );
    }
    const target = this.#target(local);
    if (!isSchema(target)) throw new GrammarError("syntax", `"$ref": "${reference}" names nothing in the schema`);
    return target;
  }

  /** The same for whoever can do without. */
  find(reference: string): Json | undefined {
    return this.#inner === undefined ? this.#target(this.#local(reference)) : undefined;
  }

  #local(reference: string): string {
    const own = isObject(this.root) && typeof this.root.$id === "string" ? this.root.$id : "";
    return own !== "" && reference.startsWith(own) ? reference.slice(own.length) || "#" : reference;
  }

  #target(local: string): Json | undefined {
    return local === "#" || local.startsWith("#/")
      ? this.#pointer(local)
      : (this.#anchors.get(local.slice(1)) as Json | undefined);
  }

  #pointer(reference: string): Json | undefined {
    let at: Json | undefined = this.root as Json;
    for (const part of reference.split("/").slice(1)) {
      const key = decode(part, reference).replaceAll("~1", "/").replaceAll("~0", "~");
      if (isObject(at)) at = Object.hasOwn(at, key) ? at[key] : undefined;
      else at = Array.isArray(at) ? at[Number(key)] : undefined;
    }
    return at;
  }

  #index(root: Json): void {
    const older = isObject(root) && /draft-0[34]/.test(String(root.$schema));
    for (const value of schemasIn(root)) {
      const id = value.$id ?? (older ? value.id : undefined);
      if (typeof value.$anchor === "string") this.#anchors.set(value.$anchor, value);
      if (value !== root && typeof id === "string") {
        // Before 2019 anchors were written so.
        if (id.startsWith("#")) this.#anchors.set(id.slice(1), value);
        else if (Array.from(schemasIn(value)).some(refers)) this.#inner = id;
      }
    }
  }
}

/** What means something else inside a document of its own than around it; without any, its name changes nothing. */
function refers(schema: { readonly [key: string]: Json }): boolean {
  const { $id, id } = schema;
  const anchored = [$id, id].some((name) => typeof name === "string" && name.startsWith("#"));
  return anchored || ["$ref", "$anchor", "$dynamicRef", "$dynamicAnchor"].some((keyword) => keyword in schema);
}

function decode(part: string, reference: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw new GrammarError("syntax", `"$ref": "${reference}" is not a valid pointer`, { cause });
  }
}
