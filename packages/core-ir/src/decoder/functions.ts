/** The activation functions of published models, in double precision. */
export const ACTIVATIONS = {
  relu: (x: number) => Math.max(x, 0),
  relu2: (x: number) => (x > 0 ? x * x : 0),
  gelu: (x: number) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  gelu_tanh: (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))),
  gelu_quick: (x: number) => x * sigmoid(1.702 * x),
  silu: (x: number) => x * sigmoid(x),
  sigmoid,
  tanh: Math.tanh,
} satisfies Record<string, (x: number) => number>;

export type ActivationName = keyof typeof ACTIVATIONS;

export const ACTIVATION_NAMES: readonly ActivationName[] = Object.keys(ACTIVATIONS) as ActivationName[];

export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** The error function to about 1e-16: a series near zero, a continued fraction for the tail. */
export function erf(x: number): number {
  const z = Math.abs(x);
  if (!(z < 6)) return Number.isNaN(x) ? x : Math.sign(x);
  const scale = Math.exp(-z * z) / Math.sqrt(Math.PI);
  if (z < 3) {
    let term = z;
    let sum = z;
    for (let n = 1; term > sum * 1e-17; n++) {
      term *= (2 * z * z) / (2 * n + 1);
      sum += term;
    }
    return Math.sign(x) * 2 * scale * sum;
  }
  let tail = z;
  for (let n = 60; n >= 1; n--) tail = z + n / 2 / tail;
  return Math.sign(x) * (1 - scale / tail);
}
