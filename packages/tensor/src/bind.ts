import { TensorError } from "./error.ts";
import { leavesOf } from "./expr/leaves.ts";
import { mapOperands } from "./expr/map.ts";
import { shapeOf } from "./expr/shape-of.ts";
import type { WeightSource } from "./source.ts";
import type { WeightExpr } from "./weight-expr.ts";

/** Tensors that a checkpoint may hold without anybody reading them, and why that is right. */
export interface Harmless {
  /** A tensor's full name, or what its name matches. */
  readonly match: string | RegExp;
  readonly reason: string;
}

export interface BindOptions {
  readonly harmless?: readonly Harmless[];
}

/** A checkpoint seen with a model's eyes. */
export interface Binding {
  /** The expressions in their order, with every `either` decided; those that lack a tensor keep their first alternative. */
  readonly exprs: readonly WeightExpr[];
  readonly missing: readonly MissingTensor[];
  readonly wrongShape: readonly WrongShape[];
  /** Tensors that no expression names and no rule excuses. */
  readonly unused: readonly string[];
  /** Tensors that no expression names, with the reason why that does no harm. */
  readonly ignored: readonly { readonly name: string; readonly reason: string }[];
}

export interface MissingTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Names that would have done as well. */
  readonly instead: readonly string[];
}

export interface WrongShape {
  readonly name: string;
  readonly expected: readonly number[];
  readonly found: readonly number[];
}

/**
 * Looks for each expression's tensors in a checkpoint. Nothing is read and nothing thrown: what is missing, of another shape or
 * never looked at is in the result, and `requireBound` makes errors of it.
 */
export function bind(exprs: readonly WeightExpr[], source: WeightSource, options: BindOptions = {}): Binding {
  const missing = new Map<string, MissingTensor>();
  const wrongShape = new Map<string, WrongShape>();
  const known = new Set<string>();
  const bound = exprs.map((expr) => {
    shapeOf(expr); // alternatives that don't agree are a mistake in the model, and show here
    for (const { name } of leavesOf(expr)) known.add(name);
    const chosen = decide(expr, source);
    for (const { name, shape } of leavesOf(chosen)) {
      const stored = source.get(name);
      if (!stored) missing.set(name, { name, shape, instead: alternatives(expr, name) });
      else if (stored.shape.join() !== shape.join())
        wrongShape.set(name, { name, expected: shape, found: stored.shape });
    }
    return chosen;
  });
  const unused: string[] = [];
  const ignored: { name: string; reason: string }[] = [];
  for (const name of source.names()) {
    if (known.has(name)) continue;
    const rule = options.harmless?.find(({ match }) => (typeof match === "string" ? match === name : match.test(name)));
    if (rule) ignored.push({ name, reason: rule.reason });
    else unused.push(name);
  }
  return { exprs: bound, missing: [...missing.values()], wrongShape: [...wrongShape.values()], unused, ignored };
}

/** The bound expressions, or one line about what is wrong, naming the first few tensors. */
export function requireBound(binding: Binding): readonly WeightExpr[] {
  const { missing, wrongShape, unused, exprs } = binding;
  if (missing.length > 0) {
    const named = missing.map(({ name, instead }) =>
      instead.length > 0 ? `${name} (or ${instead.join(", ")})` : name,
    );
    throw new TensorError("weights-missing", `the checkpoint lacks ${count(missing)}: ${few(named)}`);
  }
  if (wrongShape.length > 0) {
    const named = wrongShape.map(
      ({ name, expected, found }) => `${name} is [${found.join(", ")}], not [${expected.join(", ")}]`,
    );
    throw new TensorError("weights-shape", `the checkpoint doesn't fit its config: ${few(named)}`);
  }
  if (unused.length > 0)
    throw new TensorError(
      "weights-unused",
      `the model has no place for ${count(unused)} of the checkpoint: ${few(unused)}`,
    );
  return exprs;
}

/** The expression without `either`: of alternatives the first whose tensors are all there, or the first of all. */
export function decide(expr: WeightExpr, source: WeightSource): WeightExpr {
  if (expr.op !== "either") return mapOperands(expr, (of) => decide(of, source));
  const decided = expr.of.map((of) => decide(of, source));
  return decided.find((of) => leavesOf(of).every(({ name }) => source.get(name) !== undefined)) ?? decided[0]!;
}

/** Tensors of the other alternatives where `name` is missing from the first. */
function alternatives(expr: WeightExpr, name: string): string[] {
  if (expr.op === "either" && leavesOf(expr.of[0]!).some((leaf) => leaf.name === name))
    return [
      ...alternatives(expr.of[0]!, name),
      ...expr.of.slice(1).flatMap((of) => leavesOf(of).map((leaf) => leaf.name)),
    ];
  if (!("of" in expr)) return [];
  const parts = "op" in expr.of ? [expr.of] : expr.of;
  return parts.flatMap((of) => alternatives(of, name));
}

const FEW = 3;

function few(items: readonly string[]): string {
  const more = items.length - FEW;
  return items.slice(0, FEW).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

function count(items: readonly unknown[]): string {
  return items.length === 1 ? "a tensor" : `${items.length} tensors`;
}
