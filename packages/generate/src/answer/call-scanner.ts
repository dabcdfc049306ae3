type Expecting = "start" | "key" | "colon" | "value" | "comma" | "end" | "broken";

const NAME_KEYS: ReadonlySet<string> = new Set(["name", "function"]);
const ARGUMENT_KEYS: ReadonlySet<string> = new Set(["arguments", "parameters", "args"]);
/** What else an object that is a call may hold before it is known for one. */
const OTHER_KEYS: ReadonlySet<string> = new Set(["id", "type"]);

/**
 * Reads one call, `{"name": …, "arguments": {…}}`, a character at a time: what it knows depends on what came, never on how
 * that was cut. From the beginning of the arguments of a function that may be called on, it is a call, whatever follows.
 */
export class CallScanner {
  name: string | undefined;
  readonly #callable: (name: string) => boolean;
  #expecting: Expecting = "start";
  /** Brackets open inside the value that is being read. */
  #depth = 0;
  #inString = false;
  #escaped = false;
  #key = "";
  #value = "";
  /** The value is whole; blanks may follow. */
  #whole = false;
  #argumentsKey: string | undefined;
  #arguments = "";
  #quoted = false;

  constructor(callable: (name: string) => boolean) {
    this.#callable = callable;
  }

  /** True once the object is closed. */
  get ended(): boolean {
    return this.#expecting === "end";
  }

  /** True where the text turned out to be something else than a call. */
  get broken(): boolean {
    return this.#expecting === "broken";
  }

  /** True from where on it is a call for certain. */
  get certain(): boolean {
    return this.name !== undefined && this.#argumentsKey !== undefined;
  }

  /** Reads on, and says how much of the text belonged to the call. */
  feed(text: string): number {
    let at = 0;
    while (at < text.length && !this.ended && !this.broken) this.#next(text[at++]);
    return at;
  }

  /** What has come of the arguments since it was last asked. */
  takeArguments(): string {
    // A string holds the arguments as text: it means something when it is whole.
    if (this.#quoted && this.#key === this.#argumentsKey && !this.#whole) return "";
    const taken = this.#arguments;
    this.#arguments = "";
    return this.#quoted && taken !== "" ? unquoted(taken) : taken;
  }

  #next(char: string): void {
    if (this.#expecting === "value") this.#inValue(char);
    else if (this.#inString) this.#inKey(char);
    else if (!/\s/.test(char)) this.#between(char);
  }

  #between(char: string): void {
    if (this.#expecting === "start" && char === "{") this.#expecting = "key";
    else if (this.#expecting === "key" && char === '"') this.#inString = true;
    else if (this.#expecting === "colon" && char === ":") this.#expecting = "value";
    else if (this.#expecting === "comma" && char === ",") this.#expecting = "key";
    else if (this.#expecting === "comma" && char === "}") this.#expecting = this.name === undefined ? "broken" : "end";
    else this.#expecting = "broken";
  }

  #inKey(char: string): void {
    if (char !== '"') {
      this.#key += char;
      return;
    }
    this.#inString = false;
    const known = NAME_KEYS.has(this.#key) || ARGUMENT_KEYS.has(this.#key) || OTHER_KEYS.has(this.#key);
    this.#expecting = known || this.certain ? "colon" : "broken";
  }

  #inValue(char: string): void {
    if (this.#value === "" && /\s/.test(char)) return;
    if (!this.#inString && this.#depth === 0 && (char === "," || char === "}")) {
      this.#endValue();
      if (this.broken) return;
      this.#expecting = "comma";
      this.#next(char);
      return;
    }
    if (this.#whole) {
      if (!/\s/.test(char)) this.#expecting = "broken";
      return;
    }
    if (this.#value === "") this.#beginValue(char);
    this.#value += char;
    if (this.#key === this.#argumentsKey) this.#arguments += char;
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (char === "\\") this.#escaped = true;
      else if (char === '"') this.#inString = false;
    } else if (char === '"') this.#inString = true;
    else if (char === "{" || char === "[") this.#depth++;
    else if (char === "}" || char === "]") this.#depth--;
    const bare = !/^["{[]/.test(this.#value);
    this.#whole = !bare && !this.#inString && this.#depth === 0;
  }

  #beginValue(char: string): void {
    if (!ARGUMENT_KEYS.has(this.#key) || this.#argumentsKey !== undefined) return;
    if (char !== "{" && char !== '"') {
      this.#expecting = "broken";
      return;
    }
    this.#argumentsKey = this.#key;
    this.#quoted = char === '"';
  }

  #endValue(): void {
    if (this.#value === "") this.#expecting = "broken";
    else if (NAME_KEYS.has(this.#key) && this.name === undefined) {
      const name: unknown = tryParse(this.#value);
      if (typeof name === "string" && this.#callable(name)) this.name = name;
      else this.#expecting = "broken";
    }
    this.#key = "";
    this.#value = "";
    this.#whole = false;
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
