import { Constraint, type GrammarSource, type Matcher, parseGrammar, Vocabulary } from "@llm/grammar";
import { afterThoughts } from "../answer/call-grammar.ts";
import { GenerateError } from "../error.ts";
import type { TextTokenizer } from "../text/tokenizer.ts";
import type { GenerateOptions } from "./options.ts";

/** Constraints kept; each holds the states and masks it has made, some megabytes where it was used much. */
const MAX_KEPT = 32;

/** What an answer is held to while it is generated. */
export interface Held {
  readonly allow: (generated: Int32Array) => Uint32Array;
  /** How many of these tokens the form allows after what was generated. */
  readonly viable: (generated: Int32Array, guess: Int32Array) => number;
  /** True once nothing can follow any more: the text ends there, whether or not the model would say so. */
  finished(generated: number, token: number): boolean;
}

/** The constraints of one tokenizer's vocabulary, each compiled once. */
export class Constrained {
  readonly #tokenizer: TextTokenizer;
  readonly #size: number;
  #vocabulary: Vocabulary | undefined;
  readonly #kept = new Map<string, Constraint>();

  /** @param size how many logits the model gives, which may be more than the tokenizer has tokens */
  constructor(tokenizer: TextTokenizer, size: number) {
    this.#tokenizer = tokenizer;
    this.#size = size;
  }

  /** Begins to hold one answer of at most `room` tokens. */
  hold(source: GrammarSource, ends: readonly number[], room: number): Held {
    const constraint = this.#constraint(source, ends);
    const matcher = constraint.matcher();
    matcher.mask(room); // too little room is said before anything is computed
    return {
      allow: (generated) => {
        follow(matcher, generated);
        return matcher.mask(room - generated.length);
      },
      viable: (generated, guess) => {
        follow(matcher, generated);
        return matcher.prefixOf(guess);
      },
      finished: (generated, token) => {
        if (matcher.length < generated) matcher.accept(token);
        return matcher.done;
      },
    };
  }

  #constraint(source: GrammarSource, ends: readonly number[]): Constraint {
    const key = `${ends.join()} ${JSON.stringify(source, plain)}`;
    let constraint = this.#kept.get(key);
    if (constraint) this.#kept.delete(key);
    else {
      this.#vocabulary ??= new Vocabulary(this.#texts(), [], this.#markers());
      constraint = new Constraint(parseGrammar(source), this.#vocabulary, ends);
      if (this.#kept.size >= MAX_KEPT) this.#kept.delete(this.#kept.keys().next().value!);
    }
    this.#kept.set(key, constraint);
    return constraint;
  }

  #texts(): (Uint8Array | undefined)[] {
    const { tokenBytes, isSpecial } = this.#tokenizer;
    if (!tokenBytes || !isSpecial)
      throw new GenerateError(
        "unsupported",
        "this tokenizer can't say what text its tokens are, so an answer can't be held to a form",
      );
    return Array.from({ length: this.#size }, (_, id) =>
      isSpecial.call(this.#tokenizer, id) ? undefined : tokenBytes.call(this.#tokenizer, id),
    );
  }

  /** The texts of control tokens: nothing spells them, but a form may ask for one. */
  #markers(): ReadonlyMap<number, string> {
    const tokenizer = this.#tokenizer;
    const special = Array.from({ length: this.#size }, (_, id) => id).filter((id) => tokenizer.isSpecial!(id));
    return new Map(special.map((id) => [id, new TextDecoder().decode(tokenizer.tokenBytes!(id))]));
  }
}

/** Schemas may have whole numbers that a double can't hold. */
const plain = (_: string, value: unknown): unknown => (typeof value === "bigint" ? `${value}n` : value);

/** Takes the tokens that have come since; whoever was put off and computed anew may have been further before. */
function follow(matcher: Matcher, generated: Int32Array): void {
  if (matcher.length > generated.length) matcher.trim(generated.length);
  for (let i = matcher.length; i < generated.length; i++) matcher.accept(generated[i]);
}

/** The options that hold an answer to a form. */
export const FORMS = [
  "jsonSchema",
  "json",
  "regex",
  "choice",
  "grammar",
  "form",
] as const satisfies readonly (keyof GenerateOptions)[];

/** The form that options ask for, behind the thoughts of a model that has some; more than one at a time is an error. */
export function formOf(options: GenerateOptions): GrammarSource | undefined {
  const form = answerForm(options);
  const { reasoning } = options.answerFormats ?? {};
  return form && reasoning ? afterThoughts(reasoning, form) : form;
}

function answerForm(options: GenerateOptions): GrammarSource | undefined {
  const asked = FORMS.filter((name) => isAsked(name, options[name]));
  if (asked.length > 1)
    throw new GenerateError("option-invalid", `${asked.join(" and ")} can't be asked for at once; choose one form`);
  const { jsonSchema, regex, choice, grammar, form } = options;
  switch (asked[0]) {
    case "jsonSchema":
      if (typeof jsonSchema === "string") checkJson(jsonSchema);
      return { jsonSchema };
    case "json":
      return { json: true };
    case "regex":
      return { regex: typeof regex === "string" ? regex : expressionOf(regex!) };
    case "choice":
      return { choice: choice! };
    case "grammar":
      return { grammar: grammar! };
    case "form":
      return form;
    default:
      return undefined;
  }
}

/** Of a RegExp its expression: no flag may say that it means another one, only how to search for it. */
function expressionOf({ source, flags }: RegExp): string {
  const [flag] = /[imsv]/.exec(flags) ?? [];
  if (flag === undefined) return source;
  throw new GenerateError("unsupported", `a regex can't be held to with the flag ${flag}; write out what it means`);
}

/** False is a schema, of nothing; under any other name it asks for nothing. */
export function isAsked(name: string, value: unknown): boolean {
  return value !== undefined && (value !== false || name === "jsonSchema");
}

/** Reads the form that options ask for, so that one that can't be had is refused before a model is there. */
export function checkForm(options: GenerateOptions): void {
  const form = formOf(options);
  if (form !== undefined) parseGrammar(form);
}

function checkJson(schema: string): void {
  try {
    JSON.parse(schema);
  } catch (cause) {
    throw new GenerateError("option-invalid", "jsonSchema is not valid JSON", { cause });
  }
}
