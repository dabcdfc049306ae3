import type { Dim } from "@llm/core-ir";
import type { DType, Packing, Tensor, WeightExpr } from "@llm/tensor";

/**
 * An ONNX model as plain data, before it is bytes. Weights are still expressions over a checkpoint; where their bytes
 * come from is decided when it is written.
 */
export interface OnnxModel {
  readonly name: string;
  /** Opset of each domain in use; "" is ONNX's own. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly initializers: readonly OnnxInitializer[];
  readonly nodes: readonly OnnxNode[];
  /** Types of values in between, for readers of the file that can't infer them (ops of other domains). */
  readonly values?: readonly OnnxValue[];
  /** Ops defined in the file itself, in terms of others. */
  readonly functions?: readonly OnnxFunction[];
  /** Version of the program that made it. */
  readonly producerVersion?: string;
  /** Key-value pairs that travel with the file: model fingerprint, licence, … */
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface OnnxValue {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly Dim[];
}

export interface OnnxNode {
  readonly op: string;
  /** "" or absent: ONNX's own. */
  readonly domain?: string;
  readonly name?: string;
  /** "" is an optional input left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attrs?: Readonly<Record<string, OnnxAttr>>;
}

/** ONNX tells integers from floats, and JSON doesn't, so an attribute says which it is. */
export type OnnxAttr =
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly string: string }
  | { readonly strings: readonly string[] }
  | { readonly tensor: Tensor }
  /** An element type, which ONNX writes as an integer. */
  | { readonly dtype: DType }
  /** Inside a function: the attribute of that name of the node that calls it, of the given kind. */
  | { readonly ref: string; readonly kind: "int" | "ints" | "float" | "floats" | "string" | "strings" | "tensor" };

/** A tensor that the file brings along: small ones inside it, weights by expression. */
export type OnnxInitializer =
  | { readonly name: string; readonly tensor: Tensor }
  | {
      readonly name: string;
      readonly dtype: DType;
      readonly shape: readonly number[];
      readonly weight: WeightExpr;
      /** The bytes to take, where `dtype` and `shape` don't say: a packed format's, or one part of it. */
      readonly packing?: Packing;
    };

export interface OnnxFunction {
  readonly name: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: readonly string[];
  readonly opsets: Readonly<Record<string, number>>;
  readonly nodes: readonly OnnxNode[];
}
