import type { Expression } from "../regex/expression.ts";
import { parseRegex } from "../regex/parse.ts";

// Years from 1 on, as most that read dates have them.
const date =
  "(?:[0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))";
const time = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,9})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])";
const byte = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
// Of four labels or fewer, so that a whole name has at most 253 characters.
const label = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,60}[a-zA-Z0-9])?";
const port = "(?:[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])";
const word = "[0-9a-fA-F]{1,4}";

/** An address whose host and whose other parts have so many characters. */
function uri(host: string, rest: string): string {
  return `[a-z][a-z0-9+.-]{0,20}://[a-zA-Z0-9._~-]${host}(?::${port})?(?:/[a-zA-Z0-9._~/-]${rest})?(?:\\?[a-zA-Z0-9._~=&-]${rest})?(?:#[a-zA-Z0-9._~-]${rest})?`;
}

/** An address of at most so many characters: 281 before its path, and three parts that share the rest. */
const shortUri = (most: number): string => uri("{1,250}", `{0,${Math.min(570, Math.floor((most - 281) / 3) - 2)}}`);

/** A label of a host name where three of them, and what is between them, have so many characters at the most. */
const thirdOf = (most: number): string =>
  `[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,${Math.min(60, Math.floor((most - 2) / 3) - 2)}}[a-zA-Z0-9])?`;

const shortHostname = (most: number): string => `${thirdOf(most)}(?:\\.${thirdOf(most)}){0,2}`;

/** An e-mail address of at most so many characters, 31 of them before the sign. */
const shortEmail = (most: number): string =>
  `[a-zA-Z0-9_+-]{1,20}(?:\\.[a-zA-Z0-9_+-]{1,10})?@${thirdOf(most - 32)}(?:\\.${thirdOf(most - 32)}){1,2}`;

/** Formats of which those texts are taken that have at most so many characters in any case, and the limits for which that is done. */
const SHORT: Readonly<Record<string, readonly [from: number, to: number, format: (most: number) => string]>> = {
  uri: [1000, Number.MAX_VALUE, shortUri],
  email: [64, 250, shortEmail],
  hostname: [64, 250, shortHostname],
};

/** The expression of a format, if it is held to; where a length is kept by all texts of one, nothing has to be counted. */
export function formatOf(name: string, maxLength: number): Expression | undefined {
  if (!Object.hasOwn(FORMATS, name)) return undefined;
  const [from, to, short] = Object.hasOwn(SHORT, name) ? SHORT[name]! : [];
  return read(short && maxLength >= from! && maxLength <= to! ? short(maxLength) : FORMATS[name]!);
}

const known = new Map<string, Expression>();

function read(format: string): Expression {
  const expression = known.get(format) ?? parseRegex(format);
  known.set(format, expression);
  return expression;
}

/** Formats that are held to, as expressions for the whole string. Others say nothing about what is valid, as the standard has it. */
const FORMATS: Readonly<Record<string, string>> = {
  date,
  time,
  "date-time": `${date}T${time}`,
  duration:
    "P(?:[0-9]{1,6}W|(?:[0-9]{1,6}D|[0-9]{1,6}M(?:[0-9]{1,6}D)?|[0-9]{1,6}Y(?:[0-9]{1,6}M(?:[0-9]{1,6}D)?)?)(?:T(?:[0-9]{1,6}S|[0-9]{1,6}M(?:[0-9]{1,6}S)?|[0-9]{1,6}H(?:[0-9]{1,6}M(?:[0-9]{1,6}S)?)?))?|T(?:[0-9]{1,6}S|[0-9]{1,6}M(?:[0-9]{1,6}S)?|[0-9]{1,6}H(?:[0-9]{1,6}M(?:[0-9]{1,6}S)?)?))",
  ipv4: `${byte}(?:\\.${byte}){3}`,
  ipv6: `(?:${word}:){7}${word}|::(?:${word}:){0,5}${word}|(?:${word}:){1,6}:${word}|::`,
  uuid: "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
  hostname: `${label}(?:\\.${label}){0,3}`,
  // At most 64 characters before the sign, and 254 in all.
  email: `[a-zA-Z0-9_+-]{1,20}(?:\\.[a-zA-Z0-9_+-]{1,20}){0,2}@${label}(?:\\.${label}){1,2}`,
  uri: uri("+", "*"),
  "json-pointer": "(?:/(?:[^~/]|~[01])*)*",
};
