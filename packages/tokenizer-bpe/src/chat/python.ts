import { type Environment, Interpreter } from "@huggingface/jinja";

/** A part of a parsed template. */
interface Node {
  readonly type: string;
}

export interface Program extends Node {
  readonly body: readonly Node[];
}

interface Value {
  readonly type: string;
  readonly value: unknown;
  toString(): string;
}

/** The library's interpreter, as far as it is used here; its own declarations don't say enough. */
const Base = Interpreter as unknown as new (
  environment: Environment,
) => {
  run(program: Program): Value;
  evaluate(node: Node | undefined, environment: Environment): Value;
};

/**
 * Runs templates as Python does where `@huggingface/jinja` takes JavaScript's way: how values are printed, what counts as
 * white space and what is taken off the ends of a text.
 */
export class PythonInterpreter extends Base {
  readonly #printed: ReadonlySet<Node>;
  readonly #text: (text: string) => Value;

  constructor(environment: Environment, program: Program) {
    super(environment);
    this.#printed = printedNodes(program);
    const literal = (text: string) => ({ type: "StringLiteral", value: text });
    this.#text = (text) => super.evaluate(literal(text), environment);
  }

  override evaluate(node: Node | undefined, environment: Environment): Value {
    if (node === undefined) return super.evaluate(node, environment);
    if (isHeld(node)) return node.result;
    const value = this.#special(node, environment) ?? super.evaluate(node, environment);
    const plain = !this.#printed.has(node) || isText(value) || value.type === "UndefinedValue";
    return plain ? value : this.#text(written(value));
  }

  #binary(node: Node & Binary, environment: Environment): Value | undefined {
    const operator = node.operator.value;
    if (!["~", "+", "==", "!="].includes(operator)) return undefined;
    const [left, right] = [this.evaluate(node.left, environment), this.evaluate(node.right, environment)];
    if (operator === "~") return this.#text(written(left) + written(right));
    if (operator === "+" && ((isText(left) && isCompound(right)) || (isCompound(left) && isText(right))))
      throw new Error("text can't be joined with a list or an object");
    if (operator !== "+" && isCompound(left) && isCompound(right))
      return super.evaluate(identifier(String(equal(left, right) === (operator === "=="))), environment);
    return super.evaluate({ ...node, left: held(left), right: held(right) } as Node, environment);
  }

  /** `list | select("equalto", x)` and `reject`, of which the library knows only the forms that look at an attribute. */
  #chosen(node: Filter, evaluate: (node: Node) => Value): Value | undefined {
    const { callee, args } = node.filter;
    if ((callee?.value !== "select" && callee?.value !== "reject") || args?.length !== 2) return undefined;
    const [test, given] = args.map(evaluate);
    const list = evaluate(node.operand);
    if (!Array.isArray(list.value) || (test.value !== "equalto" && test.value !== "eq")) return undefined;
    const wanted = callee.value === "select";
    const kept = (list.value as Value[]).filter((one) => equal(one, given) === wanted);
    return Object.assign(evaluate(emptyList()), { value: kept });
  }

  #special(node: Node, environment: Environment): Value | undefined {
    const evaluate = (one: Node) => this.evaluate(one, environment);
    if (isBinary(node)) return this.#binary(node, environment);
    if (isFilter(node)) {
      const chosen = this.#chosen(node, evaluate);
      if (chosen !== undefined) return chosen;
      if (node.filter.value === "string") return this.#text(written(evaluate(node.operand)));
      if (node.filter.value !== "trim") return undefined;
      return this.#text(stripped(written(evaluate(node.operand)), whiteSpace, "strip"));
    }
    if (!isMethodCall(node)) return undefined;
    const name = node.callee.property.value;
    if ((!isStrip(name) && name !== "join") || node.args.length > 1) return undefined;
    const text = evaluate(node.callee.object);
    if (!isText(text)) return undefined;
    const given = node.args.length === 0 ? undefined : evaluate(node.args[0]);
    if (!isStrip(name)) {
      const parts = given !== undefined && Array.isArray(given.value) ? (given.value as Value[]) : [];
      return parts.every(isText) ? this.#text(parts.map((part) => part.value).join(text.value)) : undefined;
    }
    if (given === undefined || given.type === "NullValue") return this.#text(stripped(text.value, whiteSpace, name));
    if (!isText(given)) return undefined;
    const drops = new Set(given.value);
    return this.#text(stripped(text.value, (char) => drops.has(char), name));
  }
}

/** A value that stands for the expression it came from, so that nothing is evaluated twice. */
interface Held extends Node {
  readonly type: "Held";
  readonly result: Value;
}

function held(result: Value): Held {
  return { type: "Held", result };
}

function isHeld(node: Node): node is Held {
  return node.type === "Held";
}

function identifier(value: string): Node & { readonly value: string } {
  return { type: "Identifier", value };
}

function emptyList(): Node & { readonly value: readonly Node[] } {
  return { type: "ArrayLiteral", value: [] };
}

type Strip = "strip" | "lstrip" | "rstrip";

function isStrip(name: string): name is Strip {
  return name === "strip" || name === "lstrip" || name === "rstrip";
}

/** What Python's `str.strip` takes off: U+001C to U+001F and U+0085 are white space there, and U+FEFF is not. */
function whiteSpace(char: string): boolean {
  return char !== "\ufeff" && (/\s/.test(char) || "\x1c\x1d\x1e\x1f\x85".includes(char));
}

function stripped(text: string, drops: (char: string) => boolean, how: Strip): string {
  let from = 0;
  let to = text.length;
  while (how !== "rstrip" && from < to) {
    const char = String.fromCodePoint(text.codePointAt(from)!);
    if (!drops(char)) break;
    from += char.length;
  }
  while (how !== "lstrip" && to > from) {
    const pair = to - from >= 2 && text.codePointAt(to - 2)! > 0xffff;
    const char = text.slice(to - (pair ? 2 : 1), to);
    if (!drops(char)) break;
    to -= char.length;
  }
  return text.slice(from, to);
}

/** Python's `str` of a value. */
function written(value: Value): string {
  if (isText(value)) return value.value;
  return value.type === "UndefinedValue" ? "" : shown(value);
}

/** Python's `repr` of a value. */
function shown(value: Value): string {
  switch (value.type) {
    case "NullValue":
      return "None";
    case "BooleanValue":
      return value.value === true ? "True" : "False";
    case "StringValue":
      return quoted(value.value as string);
    case "ArrayValue":
      return `[${(value.value as Value[]).map(shown).join(", ")}]`;
    case "TupleValue":
      return `(${(value.value as Value[]).map(shown).join(", ")})`;
    case "ObjectValue": {
      const entries = [...(value.value as Map<string, Value>)];
      return `{${entries.map(([key, one]) => `${quoted(key)}: ${shown(one)}`).join(", ")}}`;
    }
    default:
      return value.toString();
  }
}

const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const body = text.replace(/[\\\n\r\t]|(?! )[\p{Z}\p{C}]/gu, (char) => escapes[char] ?? escaped(char));
  return quote + (quote === "'" ? body.replaceAll("'", "\\'") : body) + quote;
}

function escaped(char: string): string {
  const code = char.codePointAt(0)!;
  const [letter, digits] = code < 0x100 ? ["x", 2] : code < 0x10000 ? ["u", 4] : (["U", 8] as const);
  return `\\${letter}${code.toString(16).padStart(digits as number, "0")}`;
}

function isCompound(value: Value): boolean {
  return value.type === "ArrayValue" || value.type === "ObjectValue";
}

/** Lists and objects are equal when what they hold is, in whatever order objects name it. */
function equal(left: Value, right: Value): boolean {
  const [a, b] = [left.value, right.value];
  if (Array.isArray(a) && Array.isArray(b))
    return left.type === right.type && a.length === b.length && a.every((one, index) => equal(one, b[index]));
  if (!(a instanceof Map) || !(b instanceof Map)) return a === b;
  return a.size === b.size && [...a].every(([key, one]) => b.has(key) && equal(one, b.get(key)));
}

function isText(value: Value): value is Value & { readonly value: string } {
  return value.type === "StringValue";
}

interface Binary {
  readonly operator: { readonly value: string };
  readonly left: Node;
  readonly right: Node;
}

function isBinary(node: Node): node is Node & Binary {
  return node.type === "BinaryExpression";
}

interface Filter {
  readonly operand: Node;
  readonly filter: {
    readonly value?: unknown;
    readonly callee?: { readonly value?: unknown };
    readonly args?: readonly Node[];
  };
}

function isFilter(node: Node): node is Node & Filter {
  return node.type === "FilterExpression";
}

interface MethodCall {
  readonly callee: { readonly object: Node; readonly property: { readonly value: string } };
  readonly args: readonly Node[];
}

function isMethodCall(node: Node): node is Node & MethodCall {
  if (node.type !== "CallExpression") return false;
  const { callee } = node as Node & { callee: Node & { computed?: boolean } };
  return callee.type === "MemberExpression" && callee.computed === false;
}

const statements = new Set([
  "If",
  "For",
  "Set",
  "Macro",
  "Break",
  "Continue",
  "Comment",
  "FilterStatement",
  "CallStatement",
]);

/** The expressions whose values a template prints: those that stand where statements may. */
function printedNodes(program: Program): Set<Node> {
  const printed = new Set<Node>();
  const visit = (body: readonly Node[] | null | undefined) => {
    for (const node of body ?? []) {
      if (!statements.has(node.type)) {
        printed.add(node);
        continue;
      }
      const { body: inner, alternate, defaultBlock } = node as Node & Record<string, Node[] | undefined>;
      for (const part of [inner, alternate, defaultBlock]) visit(part);
    }
  };
  visit(program.body);
  return printed;
}
