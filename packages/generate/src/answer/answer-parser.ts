import { CallScanner } from "./call-scanner.ts";
import type { CallFormat, ReasoningFormat } from "./formats.ts";

/** A piece of an answer, as a protocol wants to hand it on. */
export type AnswerPart =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "reasoning"; readonly text: string }
  /** A call begins; `index` counts the calls of this answer. */
  | { readonly kind: "call"; readonly index: number; readonly name: string }
  | { readonly kind: "arguments"; readonly index: number; readonly text: string };

export interface AnswerFormats {
  /** Absent where no tools were offered: everything is text then. */
  readonly calls?: CallFormat;
  readonly reasoning?: ReasoningFormat;
  /** The functions that may be called; anything else is no call. Any name is, where this is absent. */
  readonly tools?: readonly string[];
}

type Mode = "start" | "text" | "reasoning" | "call" | "between";

/**
 * Takes an answer apart while it comes: reasoning, text, tool calls. However the text is cut into pieces, the parts joined
 * are the same; what looked like a call and wasn't comes out as the text it is.
 */
export class AnswerParser {
  readonly #calls: CallFormat | undefined;
  readonly #reasoning: ReasoningFormat | undefined;
  readonly #callable: (name: string) => boolean;
  #mode: Mode;
  /** Text not yet decided upon. */
  #held = "";
  #scanner: CallScanner;
  /** The call's text so far, in case it is none. */
  #raw = "";
  #announced = false;
  /** Something that opens calls has come, and none yet. */
  #opened = false;
  #count = 0;

  constructor({ calls, reasoning, tools }: AnswerFormats) {
    this.#callable = (name) => tools === undefined || tools.includes(name);
    this.#scanner = new CallScanner(this.#callable);
    this.#calls = calls;
    this.#reasoning = reasoning;
    this.#mode = reasoning?.begun ? "reasoning" : "start";
  }

  /** How many calls have begun. */
  get calls(): number {
    return this.#count;
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
    const openings = [
      this.#reasoning?.open,
      this.#calls?.open,
      ...(this.#calls?.open === "" ? this.#calls.filler : []),
    ];
    const known = openings.filter((opening) => opening !== undefined && opening !== "") as string[];
    const found = known.find((opening) => text.startsWith(opening));
    if (found !== undefined && found === this.#reasoning?.open) {
      this.#held = text.slice(found.length);
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
    const { close } = this.#reasoning!;
    const at = this.#held.indexOf(close);
    if (at >= 0) {
      this.#give(parts, "reasoning", this.#held.slice(0, at).trimEnd());
      this.#held = this.#held.slice(at + close.length);
      // Thinking happens once; what follows may be a call as a whole.
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
    const skippable = [...filler, close, open].filter((text) => text !== "");
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
      } else if (text.startsWith("{")) {
        this.#raw += this.#held.slice(0, this.#held.length - text.length);
        this.#held = text;
        this.#scanner = new CallScanner(this.#callable);
        this.#announced = false;
        this.#mode = "call";
        return;
      } else {
        if (longer || (text === "" && !over)) return;
        // Behind a finished call only the rest is text; behind an opening all of it is.
        if (this.#opened) this.#give(parts, "text", this.#raw);
        else this.#held = text;
        this.#raw = "";
        this.#mode = "text";
        return;
      }
    }
  }

  #call(parts: AnswerPart[], over: boolean): void {
    const taken = this.#scanner.feed(this.#held);
    this.#raw += this.#held.slice(0, taken);
    this.#held = this.#held.slice(taken);
    const { name, broken, ended, certain } = this.#scanner;
    // Where a tag says that calls follow, one without arguments is a call of a function that takes none.
    const bare = ended && !certain && this.#calls!.open !== "";
    if ((certain || bare) && !this.#announced) {
      this.#announced = true;
      parts.push({ kind: "call", index: this.#count++, name: name! });
      if (bare) parts.push({ kind: "arguments", index: this.#count - 1, text: "{}" });
    }
    if (this.#announced && !bare) {
      const text = this.#scanner.takeArguments();
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
