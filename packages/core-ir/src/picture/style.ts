/** Plain CSS, in both colour schemes. */
export const style: string = `
:root { color-scheme: light dark; --paper: #fbfbf9; --ink: #1d2430; --soft: #667; --line: #c9ccd3; --card: #fff;
  --multiply: #d9e6fb; --attend: #e8defa; --norm: #e6e8ec; --each: #d9f0ea; --look-up: #fdeacb; --move: #f4f4f1; --entry: #fff;
  --added: #1a8f3c; --changed: #c77700; }
@media (prefers-color-scheme: dark) { :root { --paper: #15181d; --ink: #e4e7ec; --soft: #98a1b0; --line: #3c4450; --card: #1c2027;
  --multiply: #23406b; --attend: #43306b; --norm: #343a44; --each: #1d4a40; --look-up: #5a4317; --move: #262a31; --entry: #1c2027;
  --added: #44c767; --changed: #eda43a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 14px/1.45 system-ui, sans-serif; }
header { display: flex; flex-wrap: wrap; gap: 8px 24px; align-items: baseline; padding: 14px 24px; border-bottom: 1px solid var(--line); }
h1 { font-size: 18px; margin: 0; } h2 { font-size: 15px; margin: 18px 0 0; text-align: center; }
main { display: flex; align-items: flex-start; }
nav { position: sticky; top: 0; flex: 0 0 220px; display: flex; flex-direction: column; gap: 4px; padding: 16px 12px; }
nav button { text-align: left; font: inherit; color: inherit; background: none; border: 1px solid transparent; border-radius: 6px; padding: 6px 10px; cursor: pointer; }
nav button[aria-selected="true"] { background: var(--card); border-color: var(--line); }
nav button b, nav button span, nav button small { display: block; overflow-wrap: anywhere; }
nav button span, nav button small, .facts { color: var(--soft); font-size: 12px; }
.stages { flex: 1; min-width: 0; padding: 8px 24px 48px; }
.facts { display: flex; flex-wrap: wrap; justify-content: center; gap: 2px 16px; margin: 8px 0 14px; }
.flow { display: flex; flex-direction: column; align-items: center; }
.ends { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; justify-content: center; gap: 6px; }
.ends li { border: 1px solid var(--line); border-radius: 14px; padding: 2px 12px; font-size: 12px; background: var(--card); }
code { font: 12px ui-monospace, monospace; }
.arrow { position: relative; min-height: 34px; padding: 6px 0 12px 18px; margin-left: 0; font-size: 12px; color: var(--soft); align-self: center; }
.arrow::before { content: ""; position: absolute; left: 6px; top: 0; bottom: 5px; border-left: 1.5px solid var(--soft); }
.arrow::after { content: ""; position: absolute; left: 2px; bottom: 2px; border: 5px solid transparent; border-top-color: var(--soft); border-bottom: 0; }
.block { width: fit-content; min-width: 380px; max-width: 100%; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
.block.touched { border-color: var(--changed); }
.block summary { cursor: pointer; padding: 8px 14px; display: flex; gap: 12px; align-items: baseline; }
.block summary span { margin-left: auto; color: var(--soft); font-size: 12px; } .block summary i { font-style: normal; font-weight: 600; }
.block summary em { color: var(--changed); font-style: normal; }
.block summary::before { content: "▸"; color: var(--soft); } .block[open] summary::before { content: "▾"; }
.canvas { overflow-x: auto; padding: 8px 12px 16px; border-top: 1px solid var(--line); }
svg.ops { display: block; margin: 0 auto; }
.node rect { stroke: var(--line); fill: var(--move); }
.node text { text-anchor: middle; fill: var(--ink); } .kind { font: 600 12px system-ui, sans-serif; } .detail { font: 10.5px ui-monospace, monospace; }
.type { font: 10px ui-monospace, monospace; fill: var(--soft); paint-order: stroke; stroke: var(--card); stroke-width: 3px; }
.edge { fill: none; stroke: var(--soft); stroke-width: 1.2; opacity: .75; } .edge.far { opacity: .4; } .edge:hover { stroke: var(--changed); stroke-width: 2.5; opacity: 1; }
${["multiply", "attend", "norm", "each", "look-up", "move", "entry"].map((f) => `.${f} rect { fill: var(--${f}); } .legend .${f} { background: var(--${f}); }`).join("\n")}
.node.entry rect { stroke-dasharray: 3 2; }
.node.added rect { stroke: var(--added); stroke-width: 2; } .node.changed rect { stroke: var(--changed); stroke-width: 2; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 6px; margin: 0; padding: 0; font-size: 12px; }
.legend li { padding: 1px 10px; border-radius: 5px; border: 1px solid var(--line); }
.legend .added { border: 2px solid var(--added); } .legend .changed { border: 2px solid var(--changed); }
@media (max-width: 800px) { main { display: block; } nav { position: static; flex-direction: row; flex-wrap: wrap; } }
`;

/** Switches between stages; without it the last one shows. */
export const script: string = `
for (const tab of document.querySelectorAll("[data-stage]")) tab.addEventListener("click", () => {
  for (const other of document.querySelectorAll("[data-stage]")) other.setAttribute("aria-selected", String(other === tab));
  for (const panel of document.querySelectorAll("[data-panel]")) panel.hidden = panel.dataset.panel !== tab.dataset.stage;
});
`;
