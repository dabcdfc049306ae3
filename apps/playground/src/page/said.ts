import { h } from "./dom.ts";

/** What a model wrote, with its code blocks set apart; everything else stays the text it is. */
export function saidNodes(text: string): Node[] {
  const nodes: Node[] = [];
  const parts = text.split(/^```([^\n`]*)\n?/m);
  // Odd parts are what stands behind an opening fence; a fence that is never closed runs to the end.
  let inside = false;
  for (const [i, part] of parts.entries()) {
    if (i % 2 === 1) {
      inside = !inside;
      continue;
    }
    if (part === "") continue;
    if (inside) nodes.push(h("pre", {}, h("code", {}, part.replace(/\n$/, ""))));
    else nodes.push(...inline(part));
  }
  return nodes;
}

function inline(text: string): Node[] {
  return text
    .split(/(`[^`\n]+`)/)
    .map((part) => (/^`[^`]+`$/.test(part) ? h("code", {}, part.slice(1, -1)) : document.createTextNode(part)));
}
