type Expecting = "start" | "key" | "colon" | "value" | "comma" | "end" | "broken";

const NAME_KEYS: ReadonlySet<string> = new Set(["name", "function"]);
const ARGUMENT_KEYS: ReadonlySet<string> = new Set(["arguments", "parameters", "args"]);
/** What else an object that is a call may hold. */
const OTHER_KEYS: ReadonlySet<string> = new Set(["id", "type"]);

/**
 * Reads one call, `{"name": …, "arguments": {…}}`, a piece at a time: the name as soon as it is there, the arguments as
 * they come.
 */
export class CallScanner {
  name: string | undefined;
  #expecting: Expecting = "start";
  /** Brackets open inside the value that is being read. */
  #depth = 0;
  #inString = false;
  #escaped = false;
  #key = "";
  #value = "";
  #arguments = "";
  #quoted = false;

  /** True once the object is closed. */
  get ended(): boolean {
    return this.#expecting === "end";
  }

  /** True where the text turned out to be something else than a call. */
  get broken(): boolean {
    return this.#expecting === "broken";
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
    if (this.#quoted && ARGUMENT_KEYS.has(this.#key)) return "";
    const taken = this.#arguments;
    this.#arguments = "";
    return this.#quoted ? unquoted(taken) : taken;
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
    this.#expecting = known ? "colon" : "broken";
  }

  #inValue(char: string): void {
    if (this.#value === "" && /\s/.test(char)) return;
    const closes = !this.#inString && this.#depth === 0 && (char === "," || char === "}");
    if (closes) {
      this.#endValue();
      if (!this.broken) this.#expecting = "comma";
      this.#next(char);
      return;
    }
    if (this.#value === "" && ARGUMENT_KEYS.has(this.#key)) this.#quoted = char === '"';
    this.#value += char;
    if (ARGUMENT_KEYS.has(this.#key)) this.#arguments += char;
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (char === "\\") this.#escaped = true;
      else if (char === '"') this.#inString = false;
    } else if (char === '"') this.#inString = true;
    else if (char === "{" || char === "[") this.#depth++;
    else if (char === "}" || char === "]") this.#depth--;
  }

  #endValue(): void {
    if (ARGUMENT_KEYS.has(this.#key)) this.#arguments = this.#arguments.trimEnd();
    else if (NAME_KEYS.has(this.#key)) {
      const name: unknown = tryParse(this.#value);
      if (typeof name === "string") this.name = name;
      else this.#expecting = "broken";
    }
    this.#key = "";
    this.#value = "";
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
