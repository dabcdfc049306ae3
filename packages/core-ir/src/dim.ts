/**
 * A dimension is a number or an integer polynomial over named symbols in canonical text ("batch*seq", "past + seq"), so
 * two dimensions are equal exactly when they are `===`.
 */
export type Dim = number | string;

/** Sizes of symbols, for binding symbolic shapes. */
export type Sizes = Readonly<Record<string, number>>;

/** Product of symbols, sorted and joined by "*" ("" for the constant), to its coefficient, never zero. */
type Poly = ReadonlyMap<string, number>;

const SYMBOL = /^[A-Za-z_][A-Za-z0-9_]*$/;
const TERM = /\s*([+-]?)\s*((?:\d+|[A-Za-z_][A-Za-z0-9_]*)(?:\s*\*\s*(?:\d+|[A-Za-z_][A-Za-z0-9_]*))*)\s*/y;

/** Reads a dimension in any spelling ("seq + past", "2*b*s - 1") and gives it back canonical. */
export function parseDim(text: string | number): Dim {
  return typeof text === "number" ? text : toDim(toPoly(text));
}

/** `a + b` */
export function dimAdd(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return a + b;
  const sum = new Map(toPoly(a));
  for (const [product, times] of toPoly(b)) accumulate(sum, product, times);
  return toDim(sum);
}

/** `a - b` */
export function dimSub(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return dimAdd(a, dimMul(b, -1));
}

/** `a * b` */
export function dimMul(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return a * b + 0; // never −0, which is another number to some
  if (a === 1) return b;
  if (b === 1) return a;
  const product = new Map<string, number>();
  for (const [p, m] of toPoly(a)) for (const [q, n] of toPoly(b)) accumulate(product, times(p, q), m * n);
  return toDim(product);
}

/** The product of a shape's dimensions; 1 for a scalar. */
export function dimProduct(shape: readonly Dim[]): Dim {
  return shape.reduce<Dim>(dimMul, 1);
}

/** `dim` with symbols replaced by other dimensions; symbols that aren't named stay. */
export function dimSubstitute(dim: Dim, by: Readonly<Record<string, Dim>>): Dim {
  if (typeof dim === "number") return dim;
  let sum: Dim = 0;
  for (const [product, count] of toPoly(dim)) {
    let term: Dim = count;
    for (const symbol of symbolsOf(product)) term = dimMul(term, by[symbol] ?? symbol);
    sum = dimAdd(sum, term);
  }
  return sum;
}

/** The number `dim` is for these sizes; a RangeError names a symbol without one. */
export function dimValue(dim: Dim, sizes: Sizes): number {
  const value = dimSubstitute(dim, sizes);
  if (typeof value === "number") return value;
  throw new RangeError(`no size given for ${dimSymbols(value).join(", ")} in ${dim}`);
}

/** The symbols in `dim`, sorted. */
export function dimSymbols(dim: Dim): string[] {
  if (typeof dim === "number") return [];
  return [...new Set([...toPoly(dim).keys()].flatMap(symbolsOf))].sort();
}

/** Whether `name` can be a symbol. */
export function isSymbol(name: string): boolean {
  return SYMBOL.test(name);
}

const parsed = new Map<string, Poly>();

function toPoly(dim: Dim): Poly {
  if (typeof dim === "number") return new Map(dim === 0 ? [] : [["", dim]]);
  let poly = parsed.get(dim);
  if (!poly) {
    poly = read(dim);
    if (parsed.size > 10_000) parsed.clear(); // a cache, not a leak
    parsed.set(dim, poly);
  }
  return poly;
}

function read(text: string): Poly {
  const poly = new Map<string, number>();
  let at = 0;
  while (at < text.length) {
    TERM.lastIndex = at;
    const match = TERM.exec(text);
    if (!match || (at > 0 && match[1] === "")) throw new SyntaxError(`"${text}" is not a dimension`);
    at = TERM.lastIndex;
    let count = match[1] === "-" ? -1 : 1;
    const symbols: string[] = [];
    for (const factor of match[2]!.split("*").map((part) => part.trim()))
      if (SYMBOL.test(factor)) symbols.push(factor);
      else count *= Number(factor);
    accumulate(poly, symbols.sort().join("*"), count);
  }
  if (at === 0) throw new SyntaxError(`"${text}" is not a dimension`);
  return poly;
}

function toDim(poly: Poly): Dim {
  if (poly.size === 0) return 0;
  let text = "";
  for (const [product, count] of terms(poly)) {
    if (product === "" && poly.size === 1) return count;
    const size = Math.abs(count);
    const term = product === "" ? `${size}` : size === 1 ? product : `${size}*${product}`;
    text += text === "" ? (count < 0 ? `-${term}` : term) : count < 0 ? ` - ${term}` : ` + ${term}`;
  }
  return text;
}

/** In canonical order: higher degree first, then by name. */
function terms(poly: Poly): [string, number][] {
  return [...poly].sort(([p], [q]) => symbolsOf(q).length - symbolsOf(p).length || (p < q ? -1 : 1));
}

function symbolsOf(product: string): string[] {
  return product === "" ? [] : product.split("*");
}

function times(p: string, q: string): string {
  if (p === "" || q === "") return p + q;
  return [...symbolsOf(p), ...symbolsOf(q)].sort().join("*");
}

function accumulate(poly: Map<string, number>, product: string, count: number): void {
  const sum = (poly.get(product) ?? 0) + count;
  if (sum === 0) poly.delete(product);
  else poly.set(product, sum);
}
