/** One option, from which flag, environment twin, help, docs and validation are made. */
export interface OptionDef<T> {
  readonly kind: "string" | "number" | "boolean" | "list" | "choice";
  readonly doc: string;
  readonly default?: T;
  readonly choices?: readonly string[];
  /** Other names that people have for choices, in lower case: { mxfp6: "mx6" }. */
  readonly choiceAlias?: Readonly<Record<string, string>>;
  /** What a shell calls it, without dashes, where that isn't its key in kebab case. */
  readonly flag?: string;
  readonly alias?: readonly string[]; // other spellings, without dashes
  readonly min?: number;
  readonly max?: number;
  /** Numbers without a fraction: what is counted. With it a list is one of such numbers, each of them from `min` to `max`. */
  readonly whole?: boolean;
  /** A text that names a number format: other spellings of one (INT8, mx6) stand for it. */
  readonly numberFormat?: true;
  /** Part of the content hash when it shapes the artefact; false for options of running it. */
  readonly shapes: boolean;
  /** Of one that shapes: may be said otherwise of what is finished. Opening goes by it too, and says how far. */
  readonly mayDiffer?: true;
  /** The key of the option that this one says in other words; the target's `defaults` fill that in. */
  readonly says?: string;
}

/** Keys are camelCase; flags are their kebab-case. */
export type OptionTable<O> = { readonly [K in keyof O]-?: OptionDef<O[K]> };

/** What a shell calls the option of a key: `maxNewTokens` → `max-new-tokens`, unless it has a name of its own. */
export function flagName(key: string, { flag }: Pick<OptionDef<unknown>, "flag"> = {}): string {
  return flag ?? key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The choice that people mean by a text: in either case, and by another name that it has. */
export function choiceCalled(
  { choices, choiceAlias = {} }: Pick<OptionDef<unknown>, "choices" | "choiceAlias">,
  text: string,
): string | undefined {
  const said = text.toLowerCase();
  const other = Object.hasOwn(choiceAlias, said) ? choiceAlias[said] : undefined;
  return choices?.find((choice) => choice.toLowerCase() === said) ?? other;
}
