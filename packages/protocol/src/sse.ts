/** One event of a stream. */
export const event = (data: unknown, name?: string): string =>
  `${name ? `event: ${name}\n` : ""}data: ${JSON.stringify(data)}\n\n`;

/** The end of OpenAI's streams. */
export const DONE = "data: [DONE]\n\n";

/** A comment: keeps proxies from closing a stream that has nothing to say yet. */
export const KEEP_ALIVE = ": keep-alive\n\n";
