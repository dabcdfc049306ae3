import { argumentJson } from "./argument-json.ts";
import type { ArgumentTags, Tool } from "./formats.ts";
import { Scanner } from "./scanner.ts";

type Expecting = "opening" | "name" | "tag" | "key" | "value-opening" | "value" | "end" | "broken";

/** Reads a call whose name and arguments stand between tags, and writes the arguments as JSON. */
export class TaggedScanner extends Scanner<Expecting> {
  readonly #tags: ArgumentTags;
  readonly #toolOf: (name: string) => Tool | undefined;
  #tool: Tool | undefined;
  #certain = false;
  /** What has come since the last tag. */
  #text = "";
  #key = "";
  #count = 0;
  #arguments = "";

  /** @param toolOf the function of a name, where that may be called */
  constructor(tags: ArgumentTags, toolOf: (name: string) => Tool | undefined) {
    super(tags.name[0] === "" ? "name" : "opening");
    this.#tags = tags;
    this.#toolOf = toolOf;
  }

  get certain(): boolean {
    return this.#certain;
  }

  takeArguments(): string {
    const taken = this.#arguments;
    this.#arguments = "";
    return taken;
  }

  protected next(char: string): void {
    const { name, key, value, end } = this.#tags;
    if (this.#text === "" && this.#skipsBlanks && /\s/.test(char)) return;
    this.#text += char;
    switch (this.expecting) {
      case "opening":
        this.#expect([[name[0], "name"]]);
        break;
      case "name":
        this.#inName(char);
        break;
      case "tag":
        this.#expect([
          [key[0], "key"],
          [end, "end"],
        ]);
        break;
      case "key":
        if (this.#text.endsWith(key[1])) this.#endKey(this.#text.slice(0, -key[1].length));
        break;
      case "value-opening":
        this.#expect([[value[0], "value"]]);
        break;
      case "value":
        // Asked at its last letter alone: the engine copies a text together whenever its end is looked at.
        if (value[1].endsWith(char) && this.#text.endsWith(value[1]))
          this.#endValue(this.#text.slice(0, -value[1].length));
        break;
    }
  }

  get #skipsBlanks(): boolean {
    return this.expecting !== "value" && this.expecting !== "key";
  }

  /** One of these tags, or it is no call. */
  #expect(tags: readonly (readonly [tag: string, then: Expecting])[]): void {
    const found = tags.find(([tag]) => tag === this.#text);
    if (found) this.#go(found[1]);
    else if (!tags.some(([tag]) => tag.startsWith(this.#text))) this.#go("broken");
  }

  #inName(char: string): void {
    const [, after] = this.#tags.name;
    // A call without arguments may close right behind its name.
    const tag = char === "<";
    if (char !== after && !tag && !/\s/.test(char)) return;
    const name = this.#text.slice(0, -1);
    this.#tool = tag && after === ">" ? undefined : this.#toolOf(name);
    if (this.#tool) {
      this.name = name;
      this.#arguments = "{";
    }
    this.#go(this.#tool ? "tag" : "broken");
    if (this.#tool && tag) this.next(char);
  }

  #endKey(key: string): void {
    this.#key = key.trim();
    this.#go(this.#tags.value[0] === "" ? "value" : "value-opening");
  }

  #endValue(text: string): void {
    const { pad } = this.#tags;
    const from = text.startsWith(pad) ? pad.length : 0;
    const to = text.endsWith(pad) && text.length - pad.length >= from ? text.length - pad.length : text.length;
    const value = argumentJson(text.slice(from, to), this.#tool?.parameters, this.#key);
    this.#arguments += `${this.#count++ === 0 ? "" : ", "}${JSON.stringify(this.#key)}: ${value}`;
    this.#go("tag");
  }

  #go(to: Expecting): void {
    this.expecting = to;
    this.#text = "";
    // A name alone may as well be a word of a text.
    if (to === "key" || to === "end") this.#certain = true;
    if (to === "end") this.#arguments += "}";
  }
}
