import { JsonValue } from "./json-value.ts";
import { Scanner } from "./scanner.ts";

type Expecting = "name" | "id" | "arguments";

/** Characters before a mark: no name or id has more, and what is held is looked through with each. */
const MAX_HELD = 1024;

/** Reads `name[ARGS]{…}`, with `[CALL_ID]…` before the arguments or without. */
export class NamedScanner extends Scanner<Expecting> {
  readonly #marks: { readonly args: string; readonly id: string };
  readonly #callable: (name: string) => boolean;
  #text = "";
  #value = new JsonValue();
  #arguments = "";

  constructor(marks: { readonly args: string; readonly id: string }, callable: (name: string) => boolean) {
    super("name");
    this.#marks = marks;
    this.#callable = callable;
  }

  get certain(): boolean {
    return this.name !== undefined && !this.#value.empty;
  }

  takeArguments(): string {
    const taken = this.#arguments;
    this.#arguments = "";
    return taken;
  }

  protected next(char: string): void {
    if (this.expecting === "arguments") this.#inArguments(char);
    else this.#before(char);
  }

  #before(char: string): void {
    this.#text += char;
    const { args, id } = this.#marks;
    const inName = this.expecting === "name";
    if (this.#text.endsWith(args)) {
      if (inName) this.#endName(args);
      if (!this.broken) this.expecting = "arguments";
    } else if (inName && this.#text.endsWith(id)) {
      this.#endName(id);
      if (!this.broken) this.expecting = "id";
    } else {
      // Names and ids have no blanks inside: what goes on behind one is a text.
      const rest = this.#text.replace(/^\s*[^\s[]*\s*/, "");
      const begins = [args, id].some((mark) => mark.startsWith(rest));
      if (!begins || this.#text.length > MAX_HELD) this.expecting = "broken";
    }
  }

  #endName(mark: string): void {
    this.name = this.#text.slice(0, -mark.length).trim();
    this.#text = "";
    if (!this.#callable(this.name)) this.expecting = "broken";
  }

  #inArguments(char: string): void {
    if (this.#value.empty && /\s/.test(char)) return;
    if (this.#value.empty && char !== "{") {
      this.expecting = "broken";
      return;
    }
    this.#value.push(char);
    this.#arguments += char;
    if (this.#value.whole) this.expecting = "end";
  }
}
