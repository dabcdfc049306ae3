import type { Attr } from "@llm/core-ir";
import { ExportError } from "../error.ts";
import type { OnnxAttr } from "../model/onnx-model.ts";
import type { Emitter } from "./emission.ts";

/** How an attribute of ours is written in ONNX. */
export type AttrKind = "int" | "ints" | "float" | "floats" | "string" | "strings" | "bool";

export interface NodeSpec {
  readonly op: string;
  readonly domain?: string;
  /** The attributes to write, by their names in our op; "name>other" writes it under another name. */
  readonly attrs?: Readonly<Record<string, AttrKind>>;
  /** Attributes that ONNX wants and ours doesn't say. */
  readonly fixed?: Readonly<Record<string, OnnxAttr>>;
}

/**
 * An emitter for an op that is exactly one node: operands and results in the same order, attributes by kind.
 *
 * @example
 * const emitters = { RotaryEmbedding: nodeEmitter({ op: "RotaryEmbedding", domain: "com.microsoft",
 *   attrs: { interleaved: "bool", num_heads: "int" } }) };
 */
export function nodeEmitter({ op, domain = "", attrs = {}, fixed = {} }: NodeSpec): Emitter {
  return (from, onnx) => {
    const written: Record<string, OnnxAttr> = { ...fixed };
    for (const [key, kind] of Object.entries(attrs)) {
      const [ours, theirs = ours] = key.split(">");
      const value = from.attrs[ours];
      if (value !== undefined && value !== null) written[theirs] = writeAttr(`${op}.${ours}`, kind, value);
    }
    onnx.node(op, from.names, { domain, attrs: written, outs: from.outs });
  };
}

function writeAttr(what: string, kind: AttrKind, value: Attr): OnnxAttr {
  const wrong = () => new ExportError("graph-invalid", `${what} is ${JSON.stringify(value)}, not ${kind}`);
  if (kind === "bool" && typeof value === "boolean") return { int: value ? 1 : 0 };
  if (kind === "string" && typeof value === "string") return { string: value };
  if ((kind === "int" || kind === "float") && typeof value === "number")
    return kind === "int" ? { int: value } : { float: value };
  if (!Array.isArray(value)) throw wrong();
  if (kind === "strings" && value.every((item) => typeof item === "string")) return { strings: value };
  if ((kind === "ints" || kind === "floats") && value.every((item) => typeof item === "number"))
    return kind === "ints" ? { ints: value } : { floats: value };
  throw wrong();
}
