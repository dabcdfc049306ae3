import { ENDPOINTS, type Endpoint, requestSchema } from "@llm/protocol";

interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
}

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
code { font-family: ui-monospace, monospace; font-size: .9em }
summary { cursor: pointer; padding: .3rem 0 }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; width: 100% }
td { padding: .15rem .8rem .15rem 0; vertical-align: top; border-top: 1px solid #8884 }
small { opacity: .7 }`;

/** Every endpoint with its fields, as a page that needs nothing else. */
export function docsPage(version: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>llm serve</title>
<style>${STYLE}</style>
</head>
<body>
<h1>llm serve</h1>
<p><small>${escaped(version)}</small> The same as <a href="openapi.json">openapi.json</a>, for people. A field that isn't here is refused by name.</p>
${ENDPOINTS.map(endpointHtml).join("\n")}
</body>
</html>
`;
}

function endpointHtml({ method, path, form, summary, request, query = {}, streams }: Endpoint): string {
  const behind = Object.entries(query).map(([name, doc]) => ` <small><code>?${name}=</code> ${escaped(doc)}</small>`);
  const title = `<code>${method.toUpperCase()} ${escaped(path)}</code>${behind.join("")} ${escaped(summary)} <small>${form}${streams ? ", can stream" : ""}</small>`;
  if (!request) return `<p>${title}</p>`;
  const { properties = {}, required = [] } = requestSchema(request) as Schema;
  const rows = Object.entries(properties).map(([name, schema]) => {
    const must = required.includes(name) ? " <small>required</small>" : "";
    return `<tr><td><code>${escaped(name)}</code>${must}</td><td><code>${escaped(typeOf(schema))}</code></td><td>${escaped(schema.description ?? "")}</td></tr>`;
  });
  return `<details><summary>${title}</summary><table>${rows.join("")}</table></details>`;
}

/** What a value may be, in a few words. */
function typeOf(schema: Schema): string {
  const several = schema.anyOf ?? schema.oneOf;
  if (several) return [...new Set(several.map(typeOf))].filter((type) => type !== "null").join(" | ") || "null";
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.type === "array") return `[${schema.items ? typeOf(schema.items) : ""}]`;
  if (schema.properties?.type) return `{type: ${typeOf(schema.properties.type)}, …}`;
  return `${schema.type ?? "any"}${rangeOf(schema)}`;
}

function rangeOf({ minimum, maximum }: Schema): string {
  const named = (bound: number | undefined) =>
    bound === undefined || Math.abs(bound) >= 2 ** 53 - 1 ? "" : String(bound);
  const [low, high] = [named(minimum), named(maximum)];
  return low === "" && high === "" ? "" : ` ${low}…${high}`;
}

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
