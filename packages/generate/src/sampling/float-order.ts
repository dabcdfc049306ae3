const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** 32-bit floats as whole numbers in the same order, without gaps. */
function orderOf(x: number): number {
  float[0] = x;
  return bits[0]! < 0 ? -(bits[0]! & 0x7fff_ffff) : bits[0]!;
}

function floatAt(order: number): number {
  bits[0] = order < 0 ? -order | 0x8000_0000 : order;
  return float[0]!;
}

/** The next 32-bit float below. */
export function floatBelow(x: number): number {
  return floatAt(orderOf(x) - 1);
}

/** The next one above. */
export function floatAbove(x: number): number {
  return floatAt(orderOf(x) + 1);
}

const LOWEST = orderOf(-3.4028234663852886e38);

/** The least 32-bit float for which something holds that holds for `top` and, wherever it does, for all from there up to it. */
export function leastFloat(top: number, holds: (x: number) => boolean): number {
  let low = LOWEST;
  let high = orderOf(top);
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (holds(floatAt(middle))) high = middle;
    else low = middle + 1;
  }
  return floatAt(high);
}
