/** `pnpm bench [NAME …] [--rounds N] [--json]`: runs the cases named, or all of them. */
import { parseArgs } from "node:util";
import type { Case } from "./case.ts";
import { cases } from "./cases/index.ts";
import { runCase } from "./harness.ts";
import { renderClaims, renderResult } from "./report.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string" }, json: { type: "boolean" }, list: { type: "boolean" } },
});

function fail(message: string): never {
  console.error(message);
  process.exit(2);
}

const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0))
  fail(`--rounds ${values.rounds}: not a positive whole number`);

/** `pnpm bench export` runs `export` and everything named `export-…`. */
function chosen(): readonly Case[] {
  if (positionals.length === 0) return cases;
  return positionals.flatMap((name) => {
    const found = cases.filter((one) => one.name === name || one.name.startsWith(`${name}-`));
    return found.length > 0 ? found : fail(`no case ${name}; there are: ${cases.map((one) => one.name).join(", ")}`);
  });
}

if (values.list) for (const one of cases) console.log(`${one.name.padEnd(24)}${one.title}`);
else {
  const results = [];
  for (const one of chosen()) {
    const result = await runCase(one, { rounds, onProgress: (text) => process.stderr.write(`${text}\n`) });
    results.push(result);
    if (!values.json) console.log(`${renderResult(result)}\n`);
  }
  if (values.json) console.log(JSON.stringify(results));
  else if (results.length > 1) console.log(renderClaims(results));
}
