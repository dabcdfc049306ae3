import { htmlText } from "./html-text.ts";

/** Plain CSS, in both colour schemes. */
const STYLE = `
:root { color-scheme: light dark; --paper: #fbfbf9; --card: #fff; --ink: #1d2430; --soft: #5d6675; --line: #d5d8de; --grid: #e8eaee;
  --good: #2f6fb2; --bad: #c62f2f; --s0: #2f6fb2; --s1: #c77700; --s2: #1a8f6b; --s3: #8a4fc0; --s4: #c0392b; --s5: #6b7280; --s6: #b0568f; --s7: #5a7d1c; }
@media (prefers-color-scheme: dark) { :root { --paper: #15181d; --card: #1c2027; --ink: #e4e7ec; --soft: #9aa4b4; --line: #39414d; --grid: #2a303a;
  --good: #6aa9ee; --bad: #ff6b6b; --s0: #6aa9ee; --s1: #f0a94b; --s2: #4fcfa5; --s3: #bd93f0; --s4: #ff7b6e; --s5: #a3adba; --s6: #e596c6; --s7: #a8cf5f; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1000px; margin: 0 auto; padding: 28px 24px 56px; }
h1 { font-size: 22px; margin: 0 0 4px; } h2 { font-size: 16px; margin: 0 0 2px; }
p { margin: 0 0 10px; color: var(--soft); } p.verdict { color: var(--ink); font-size: 16px; margin: 10px 0 18px; }
p.verdict::before { content: "✓ "; color: var(--good); font-weight: 700; } p.verdict.bad::before { content: "✗ "; color: var(--bad); }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 18px 20px; margin: 18px 0; overflow-x: auto; }
svg { display: block; width: 100%; height: auto; min-width: 620px; }
svg text { fill: var(--soft); font: 12px system-ui, sans-serif; } svg text.strong { fill: var(--ink); font-weight: 600; }
svg .grid { stroke: var(--grid); } svg .axis { stroke: var(--line); } svg .limit { stroke: var(--bad); stroke-dasharray: 5 4; stroke-width: 1.5; }
svg .good { fill: var(--good); } svg .bad { fill: var(--bad); } svg text.bad { fill: var(--bad); font-weight: 600; paint-order: stroke; stroke: var(--card); stroke-width: 4px; }
svg .series { fill: none; stroke-width: 2; } svg .dot { stroke: var(--card); stroke-width: 1.5; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 4px 10px; border-bottom: 1px solid var(--grid); white-space: nowrap; } th { color: var(--soft); font-weight: 500; }
th:first-child, td:first-child { text-align: left; } tr.bad td { color: var(--bad); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; list-style: none; margin: 6px 0 0; padding: 0; font-size: 13px; color: var(--soft); }
.legend i { display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin-right: 6px; vertical-align: -1px; }
`;

export interface Verdict {
  readonly text: string;
  readonly ok: boolean;
}

export interface Section {
  readonly title: string;
  readonly note?: string;
  readonly html: string;
}

/** A page that needs nothing besides itself, in the reader's colour scheme. */
export function reportPage(
  title: string,
  facts: string,
  verdict: Verdict | undefined,
  sections: readonly Section[],
): string {
  const said =
    verdict === undefined ? "" : `<p class="verdict${verdict.ok ? "" : " bad"}">${htmlText(verdict.text)}</p>`;
  const parts = sections.map(
    ({ title: heading, note, html }) =>
      `<section><h2>${htmlText(heading)}</h2>${note === undefined ? "" : `<p>${htmlText(note)}</p>`}${html}</section>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${htmlText(title)}</title><style>${STYLE}</style></head>
<body><main><h1>${htmlText(title)}</h1><p>${htmlText(facts)}</p>${said}${parts.join("")}</main></body></html>
`;
}

export interface TableRow {
  readonly cells: readonly string[];
  readonly bad?: boolean;
}

export function htmlTable(head: readonly string[], rows: readonly TableRow[]): string {
  const line = (tag: "th" | "td", cells: readonly string[]) =>
    cells.map((cell) => `<${tag}>${htmlText(cell)}</${tag}>`).join("");
  const body = rows.map(({ cells, bad }) => `<tr${bad ? ' class="bad"' : ""}>${line("td", cells)}</tr>`);
  return `<table><thead><tr>${line("th", head)}</tr></thead><tbody>${body.join("")}</tbody></table>`;
}

/** How many colours there are for series; more of them begin again. */
const COLOURS = 8;

export function colourOf(series: number): string {
  return `var(--s${series % COLOURS})`;
}

export function legend(series: readonly { readonly name: string; readonly colour: number }[]): string {
  const items = series.map(
    ({ name, colour }) => `<li><i style="background:${colourOf(colour)}"></i>${htmlText(name)}</li>`,
  );
  return `<ul class="legend">${items.join("")}</ul>`;
}
