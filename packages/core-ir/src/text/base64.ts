/** Bytes as base64; `Uint8Array.toBase64` is not in every Node that we support. */
export function toBase64(bytes: Uint8Array): string {
  const piece = 2 ** 14; // arguments that one call surely takes
  let text = "";
  for (let at = 0; at < bytes.length; at += piece) text += String.fromCharCode(...bytes.subarray(at, at + piece));
  return btoa(text);
}

/** The bytes of base64; a SyntaxError where it isn't. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  } catch {
    throw new SyntaxError(`"${text.slice(0, 40)}" is not base64`);
  }
}
