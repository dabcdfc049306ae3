import type { Architecture } from "./architecture.ts";
import type { Config } from "./config.ts";

/** Fields of a config that say something which the architecture, once built from it, neither read nor knows to be harmless. */
export function unreadFields(config: Config, { ignored }: Architecture): readonly string[] {
  const found: string[] = [];
  const visit = (value: unknown, name: string): void => {
    if (value === null || Object.hasOwn(ignored, name)) return;
    const nested = typeof value === "object" && !Array.isArray(value);
    // An object that nobody opened is one thing to tell; in one that was, each of its fields is.
    if (name !== "" && !config.fieldsRead.has(name)) found.push(name);
    else if (nested)
      for (const [key, inner] of Object.entries(value as object)) visit(inner, name ? `${name}.${key}` : key);
  };
  visit(config.raw, "");
  return found;
}
