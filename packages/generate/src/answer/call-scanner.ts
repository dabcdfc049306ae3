import { JsonValue } from "./json-value.ts";
import { Scanner } from "./scanner.ts";

type Expecting = "start" | "key" | "colon" | "value" | "comma";

const NAME_KEYS: ReadonlySet<string> = new Set(["name", "function"]);
const ARGUMENT_KEYS: ReadonlySet<string> = new Set(["arguments", "parameters", "args"]);
/** What else an object that is a call may hold before it is known for one. */
const OTHER_KEYS: ReadonlySet<string> = new Set(["id", "type"]);

/** Reads a call that is an object, `{"name": …, "arguments": {…}}`; it is certain where the arguments begin. */
export class CallScanner extends Scanner<Expecting> {
  readonly #callable: (name: string) => boolean;
  #inKey = false;
  #key = "";
  #value = "";
  #json = new JsonValue();
  #argumentsKey: string | undefined;
  #arguments = "";
  #quoted = false;

  constructor(callable: (name: string) => boolean) {
    super("start");
    this.#callable = callable;
  }

  get certain(): boolean {
    return this.name !== undefined && this.#argumentsKey !== undefined;
  }

  takeArguments(): string {
    // A string holds the arguments as text: it means something when it is whole.
    if (this.#quoted && this.#key === this.#argumentsKey && !this.#json.whole) return "";
    const taken = this.#arguments;
    this.#arguments = "";
    return this.#quoted && taken !== "" ? unquoted(taken) : taken;
  }

  protected next(char: string): void {
    if (this.expecting === "value") this.#inValue(char);
    else if (this.#inKey) this.#addToKey(char);
    else if (!/\s/.test(char)) this.#between(char);
  }

  #between(char: string): void {
    if (this.expecting === "start" && char === "{") this.expecting = "key";
    else if (this.expecting === "key" && char === '"') this.#inKey = true;
    else if (this.expecting === "colon" && char === ":") this.expecting = "value";
    else if (this.expecting === "comma" && char === ",") this.expecting = "key";
    else if (this.expecting === "comma" && char === "}") this.expecting = this.name === undefined ? "broken" : "end";
    else this.expecting = "broken";
  }

  #addToKey(char: string): void {
    if (char !== '"') {
      this.#key += char;
      return;
    }
    this.#inKey = false;
    const known = NAME_KEYS.has(this.#key) || ARGUMENT_KEYS.has(this.#key) || OTHER_KEYS.has(this.#key);
    this.expecting = known || this.certain ? "colon" : "broken";
  }

  #inValue(char: string): void {
    if (this.#value === "" && /\s/.test(char)) return;
    if (!this.#json.inString && !this.#json.nested && (char === "," || char === "}")) {
      this.#endValue();
      if (this.broken) return;
      this.expecting = "comma";
      this.next(char);
      return;
    }
    if (this.#json.whole) {
      if (!/\s/.test(char)) this.expecting = "broken";
      return;
    }
    if (this.#value === "") this.#beginValue(char);
    this.#value += char;
    if (this.#key === this.#argumentsKey) this.#arguments += char;
    this.#json.push(char);
  }

  #beginValue(char: string): void {
    if (!ARGUMENT_KEYS.has(this.#key) || this.#argumentsKey !== undefined) return;
    if (char !== "{" && char !== '"') {
      this.expecting = "broken";
      return;
    }
    this.#argumentsKey = this.#key;
    this.#quoted = char === '"';
  }

  #endValue(): void {
    if (this.#value === "") this.expecting = "broken";
    else if (NAME_KEYS.has(this.#key) && this.name === undefined) {
      const name: unknown = tryParse(this.#value);
      if (typeof name === "string" && this.#callable(name)) this.name = name;
      else this.expecting = "broken";
    }
    this.#key = "";
    this.#value = "";
    this.#json = new JsonValue();
  }
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const unquoted = (text: string): string => {
  const inner = tryParse(text);
  return typeof inner === "string" ? inner : text;
};
