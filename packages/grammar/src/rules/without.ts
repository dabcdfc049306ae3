import { ANY, charactersOf, subtract } from "./code-points.ts";
import { alt, chars, EMPTY, type Grammar, type Rule, ref, seq, text } from "./rule.ts";

/** Every text that doesn't contain `word`: at each place, how much of it has just been said. */
export function without(word: string): Grammar {
  const letters = Array.from(word);
  const name = (said: number): string => (said === 0 ? "root" : `${said} of ${letters.length}`);
  const rules = new Map<string, Rule>();
  for (let said = 0; said < letters.length; said++) {
    const ways: Rule[] = [];
    const known = new Set(letters.slice(0, said + 1));
    for (const letter of known) {
      const after = longestBeginning(letters, [...letters.slice(0, said), letter]);
      if (after < letters.length) ways.push(seq(text(letter), ref(name(after))));
    }
    const others = chars(subtract(ANY, charactersOf([...known].join(""))));
    rules.set(name(said), alt(EMPTY, ...ways, seq(others, ref(name(0)))));
  }
  return { root: name(0), rules };
}

/** How much of the beginning of `word` stands at the end of `said`. */
function longestBeginning(word: readonly string[], said: readonly string[]): number {
  for (let length = Math.min(word.length, said.length); length > 0; length--) {
    if (word.slice(0, length).every((letter, i) => letter === said[said.length - length + i])) return length;
  }
  return 0;
}
