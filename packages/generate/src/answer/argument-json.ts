import { propertyTypes, typeOfValue } from "@llm/grammar";

/** Ways to write constants that models know from Python. */
const CONSTANTS: Readonly<Record<string, string>> = { True: "true", False: "false", None: "null" };

/** An argument that was written by itself, as JSON: a text where the schema of the parameters wants one. */
export function argumentJson(text: string, parameters: unknown, name: string): string {
  const types = propertyTypes(parameters, name);
  const asText = JSON.stringify(text);
  if (types?.size === 1 && types.has("string")) return asText;
  const trimmed = text.trim();
  const json = Object.hasOwn(CONSTANTS, trimmed) ? CONSTANTS[trimmed]! : trimmed;
  const type = typeOfJson(json);
  if (type === undefined) return asText;
  // What may be a text and looks like something that isn't wanted is a text.
  const wanted = types === undefined || types.has(type) || (type === "number" && types.has("integer"));
  return wanted || !types.has("string") ? json : asText;
}

function typeOfJson(json: string): ReturnType<typeof typeOfValue> | undefined {
  try {
    return typeOfValue(JSON.parse(json));
  } catch {
    return undefined;
  }
}
