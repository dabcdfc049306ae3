import type { ActivationName } from "@llm/core-ir";
import type { Part } from "./attention.ts";

export interface Mlp {
  readonly width: number;
  readonly inner: number;
  readonly fn: ActivationName;
  readonly bias?: boolean;
  /** Stored [in, out]. */
  readonly transposed?: boolean;
}

const GATED = { gate: "gate_proj", up: "up_proj", down: "down_proj" };

/** down(fn(gate(x)) · up(x)) */
export function gatedMlp({ width, inner, fn, bias = false }: Mlp, names: typeof GATED = GATED): Part {
  return (d, x, prefix) => {
    const gate = d.linear(x, `${prefix}.${names.gate}`, width, inner, { bias });
    const up = d.linear(x, `${prefix}.${names.up}`, width, inner, { bias });
    return d.linear(d.b.glu(gate, up, fn), `${prefix}.${names.down}`, inner, width, { bias });
  };
}

/** The same with gate and up in one linear, the gate's rows first. */
export function fusedGatedMlp(
  { width, inner, fn, bias = false }: Mlp,
  names = { both: "gate_up_proj", down: "down_proj" },
): Part {
  return (d, x, prefix) => {
    const [gate, up] = d.b.split(d.linear(x, `${prefix}.${names.both}`, width, 2 * inner, { bias }), [inner, inner]);
    return d.linear(d.b.glu(gate, up, fn), `${prefix}.${names.down}`, inner, width, { bias });
  };
}

/** down(fn(up(x))) */
export function plainMlp(
  { width, inner, fn, ...layout }: Mlp,
  names: { readonly up: string; readonly down: string },
): Part {
  return (d, x, prefix) => {
    const up = d.linear(x, `${prefix}.${names.up}`, width, inner, layout);
    return d.linear(d.b.activation(up, fn), `${prefix}.${names.down}`, inner, width, layout);
  };
}
