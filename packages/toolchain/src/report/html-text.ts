const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Text as HTML: names come from files and may hold anything. */
export function htmlText(text: string): string {
  return text.replaceAll(/[&<>"]/g, (c) => ENTITIES[c]!);
}
