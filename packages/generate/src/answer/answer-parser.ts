import { CallScanner } from "./call-scanner.ts";
import type { AnswerFormats, CallFormat, ReasoningFormat, Tool } from "./formats.ts";
import { NamedScanner } from "./named-scanner.ts";
import type { Scanner } from "./scanner.ts";
import { TaggedScanner } from "./tagged-scanner.ts";

/** A piece of an answer, as a protocol wants to hand it on. */
export type AnswerPart =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "reasoning"; readonly text: string }
  /** A call begins; `index` counts the calls of this answer. */
  | { readonly kind: "call"; readonly index: number; readonly name: string }
  | { readonly kind: "arguments"; readonly index: number; readonly text: string };

type Mode = "start" | "text" | "reasoning" | "call" | "between";

/**
 * Takes an answer apart while it comes: reasoning, text, tool calls. However the text is cut into pieces, the parts joined
 * are the same; what looked like a call and wasn't comes out as the text it is.
 */
export class AnswerParser {
  readonly #calls: CallFormat | undefined;
  readonly #reasoning: ReasoningFormat | undefined;
  readonly #toolOf: (name: string) => Tool | undefined;
  #mode: Mode;
  /** Text not yet decided upon. */
  #held = "";
  #scanner: Scanner | undefined;
  /** The call's text so far, in case it is none. */
  #raw = "";
  #announced = false;
  /** Something that opens calls has come, and none yet. */
  #opened = false;
  #count = 0;
  /** Whether blanks that come now stand at the edge of a reasoning section, and belong to nothing. */
  #edge: boolean;

  constructor({ calls, reasoning, tools }: AnswerFormats) {
    this.#toolOf = (name) => (tools === undefined ? { name } : tools.find((tool) => tool.name === name));
    this.#calls = calls;
    this.#reasoning = reasoning;
    this.#edge = reasoning?.begun ?? false;
    this.#mode = this.#edge ? "reasoning" : "start";
  }

  /** How many calls have begun. */
  get calls(): number {
    return this.#count;
  }

  /** Whether what came last is a whole call, and nothing behind it is half written. */
  get endsWithCall(): boolean {
    return this.#mode === "between" && !this.#opened;
  }

  push(text: string): AnswerPart[] {
    this.#held += text;
    return this.#run(false);
  }

  /** The answer is over: what was held back comes out. */
  end(): AnswerPart[] {
    return this.#run(true);
  }

  #run(over: boolean): AnswerPart[] {
    const parts: AnswerPart[] = [];
    for (let before = ""; before !== `${this.#mode} ${this.#held}`; ) {
      before = `${this.#mode} ${this.#held}`;
      if (this.#mode === "start") this.#start(parts, over);
      else if (this.#mode === "text") this.#text(parts, over);
      else if (this.#mode === "reasoning") this.#thinking(parts, over);
      else if (this.#mode === "between") this.#between(parts, over);
      else this.#call(parts, over);
    }
    return joined(parts);
  }

  /** Before anything but blanks has come, when an answer may be a call as a whole. */
  #start(parts: AnswerPart[], over: boolean): void {
    const text = this.#held.trimStart();
    if (this.#edge) this.#held = text;
    const openings = [
      this.#reasoning?.open,
      this.#calls?.open,
      ...(this.#calls?.open === "" ? this.#calls.filler : []),
    ];
    const known = openings.filter((opening) => opening !== undefined && opening !== "") as string[];
    const found = known.find((opening) => text.startsWith(opening));
    if (found !== undefined && found === this.#reasoning?.open) {
      this.#held = text.slice(found.length);
      this.#edge = true;
      this.#mode = "reasoning";
    } else if (this.#calls?.open === "" && (found !== undefined || text.startsWith("{"))) this.#beginCall("");
    else if (text === "" || known.some((opening) => opening.startsWith(text))) {
      if (over) this.#flush(parts, "text");
    } else this.#mode = "text";
  }

  #text(parts: AnswerPart[], over: boolean): void {
    const open = this.#calls?.open;
    const at = open ? this.#held.indexOf(open) : -1;
    if (open && at >= 0) {
      const before = this.#held.slice(0, at).trimEnd();
      this.#give(parts, "text", before);
      const opening = this.#held.slice(before.length, at + open.length);
      this.#held = this.#held.slice(at + open.length);
      this.#beginCall(opening);
      return;
    }
    // Blanks before a call belong to neither; they wait until it is known what follows.
    const keep = over ? 0 : Math.max(open ? blanksAtEnd(this.#held) : 0, partialAtEnd(this.#held, open));
    this.#give(parts, "text", this.#held.slice(0, this.#held.length - keep));
    this.#held = this.#held.slice(this.#held.length - keep);
  }

  #thinking(parts: AnswerPart[], over: boolean): void {
    const { open, close, begun } = this.#reasoning!;
    if (this.#edge) {
      const text = this.#held.trimStart();
      // Some models open once more what the prompt has opened.
      const again = begun && text.startsWith(open);
      this.#held = again ? text.slice(open.length) : text;
      if (again || text === "" || (begun && !over && open.startsWith(text))) return;
      this.#edge = false;
    }
    const at = this.#held.indexOf(close);
    if (at >= 0) {
      this.#give(parts, "reasoning", this.#held.slice(0, at).trimEnd());
      this.#held = this.#held.slice(at + close.length);
      // Thinking happens once; what follows may be a call as a whole.
      this.#edge = true;
      this.#mode = "start";
      return;
    }
    const keep = over ? 0 : Math.max(blanksAtEnd(this.#held), partialAtEnd(this.#held, close));
    this.#give(parts, "reasoning", this.#held.slice(0, this.#held.length - keep));
    this.#held = this.#held.slice(this.#held.length - keep);
  }

  #beginCall(raw: string): void {
    this.#mode = "between";
    this.#opened = true;
    this.#raw = raw;
  }

  /** From an opening, or a call's end, to the brace of the next. */
  #between(parts: AnswerPart[], over: boolean): void {
    const { close, filler, open } = this.#calls!;
    const skippable = [...filler, close, open].filter((text) => text !== "").toSorted((a, b) => b.length - a.length);
    for (;;) {
      const text = this.#held.trimStart();
      const longer = !over && skippable.some((skip) => skip.length > text.length && skip.startsWith(text));
      const found = skippable.find((skip) => text.startsWith(skip));
      if (found !== undefined && !longer) {
        const length = this.#held.length - text.length + found.length;
        // What closes a call is done with; what opens the next may yet turn out to be text.
        if (this.#opened || found === open) this.#raw += this.#held.slice(0, length);
        this.#opened ||= found === open;
        this.#held = this.#held.slice(length);
      } else {
        this.#scanner = longer || text === "" ? undefined : this.#scannerOf(text);
        if (this.#scanner) {
          this.#raw += this.#held.slice(0, this.#held.length - text.length);
          this.#held = text;
          this.#announced = false;
          this.#mode = "call";
          return;
        }
        if (longer || (text === "" && !(over && this.#opened))) return;
        // Behind a finished call only the rest is text; behind an opening all of it is.
        if (this.#opened) this.#give(parts, "text", this.#raw);
        else this.#held = text;
        this.#raw = "";
        this.#mode = "text";
        return;
      }
    }
  }

  /** What reads a call that begins so, if one can. */
  #scannerOf(text: string): Scanner | undefined {
    const { tags, named } = this.#calls!;
    if (text.startsWith("{")) return new CallScanner((name) => this.#toolOf(name) !== undefined);
    if (!this.#opened) return undefined;
    if (tags) return new TaggedScanner(tags, this.#toolOf);
    return named && new NamedScanner(named, (name) => this.#toolOf(name) !== undefined);
  }

  #call(parts: AnswerPart[], over: boolean): void {
    const scanner = this.#scanner!;
    const taken = scanner.feed(this.#held);
    this.#raw += this.#held.slice(0, taken);
    this.#held = this.#held.slice(taken);
    const { name, broken, ended, certain } = scanner;
    // Where a tag says that calls follow, one without arguments is a call of a function that takes none.
    const bare = ended && !certain && this.#calls!.open !== "";
    if ((certain || bare) && !this.#announced) {
      this.#announced = true;
      parts.push({ kind: "call", index: this.#count++, name: name! });
      if (bare) parts.push({ kind: "arguments", index: this.#count - 1, text: "{}" });
    }
    if (this.#announced && !bare) {
      const text = scanner.takeArguments();
      if (text !== "") parts.push({ kind: "arguments", index: this.#count - 1, text });
    }
    if (!ended && !broken && !over) return;
    if (!this.#announced) this.#give(parts, "text", this.#raw);
    this.#raw = "";
    this.#opened = false;
    if (this.#announced && ended) this.#mode = "between";
    else if (ended || broken) this.#mode = "text";
  }

  #flush(parts: AnswerPart[], kind: "text" | "reasoning"): void {
    this.#give(parts, kind, this.#held);
    this.#held = "";
  }

  #give(parts: AnswerPart[], kind: "text" | "reasoning", text: string): void {
    if (text !== "") parts.push({ kind, text });
  }
}

/** Neighbours of one kind as one part. */
function joined(parts: readonly AnswerPart[]): AnswerPart[] {
  const out: AnswerPart[] = [];
  for (const part of parts) {
    const last = out[out.length - 1];
    if (last && last.kind === part.kind && part.kind !== "call" && last.kind !== "call") {
      const sameCall = part.kind !== "arguments" || (last.kind === "arguments" && last.index === part.index);
      if (sameCall) {
        out[out.length - 1] = { ...last, text: last.text + part.text };
        continue;
      }
    }
    out.push(part);
  }
  return out;
}

const blanksAtEnd = (text: string): number => text.length - text.trimEnd().length;

/** How long a beginning of `marker` the text ends with, blanks before it included. */
function partialAtEnd(text: string, marker: string | undefined): number {
  if (!marker) return 0;
  for (let length = Math.min(marker.length - 1, text.length); length > 0; length--) {
    if (!text.endsWith(marker.slice(0, length))) continue;
    const before = text.slice(0, text.length - length);
    return length + blanksAtEnd(before);
  }
  return 0;
}
