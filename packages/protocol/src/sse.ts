/** One event of a stream. */
export const event = (data: unknown, name?: string): string =>
  `${name ? `event: ${name}\n` : ""}data: ${JSON.stringify(data)}\n\n`;

/** Stands for the text in a sample; no name or id of a request holds such characters. */
const GAP = "\u0000text\u0000";

/** Writes events that differ in one text alone: what they share is put into JSON once, not for every token. */
export function textEvents(sample: (text: string) => unknown): (text: string) => string {
  const parts = event(sample(GAP)).split(JSON.stringify(GAP));
  if (parts.length !== 2) return (text) => event(sample(text));
  const [before, after] = parts;
  return (text) => before + JSON.stringify(text) + after;
}

/** The end of OpenAI's streams. */
export const DONE = "data: [DONE]\n\n";

/** A comment: keeps proxies from closing a stream that has nothing to say yet. */
export const KEEP_ALIVE = ": keep-alive\n\n";
