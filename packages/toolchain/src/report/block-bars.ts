import { FRAME, logScale, namesAxis, svg, verticalAxis } from "./axes.ts";
import { htmlText } from "./html-text.ts";

export interface Bar {
  readonly name: string;
  /** Of what is allowed: above 1 is too much. */
  readonly share: number;
  readonly ok: boolean;
}

/**
 * The error of each block as a share of what its threshold allows, on a logarithmic scale: a step up is where an error begins,
 * red is past the threshold.
 */
export function blockBars(bars: readonly Bar[]): string {
  const { width, height, left, right, top, bottom } = FRAME;
  const floor = height - bottom;
  const scale = logScale([...bars.map(({ share }) => share), 1], floor, top, 2);
  const slot = (width - left - right) / bars.length;
  const place = (at: number) => left + (at + 0.5) * slot;
  const wide = Math.min(46, slot * 0.68);
  const drawn = bars.map(({ name, share, ok }, at) => {
    const y = Math.min(scale.place(share), floor - 2);
    const text = `${name}: ${Number.isNaN(share) ? "not a number" : `${share.toPrecision(3)} of what is allowed`}`;
    return `<rect class="${ok ? "good" : "bad"}" x="${(place(at) - wide / 2).toFixed(1)}" y="${y.toFixed(1)}" width="${wide.toFixed(1)}" height="${(floor - y).toFixed(1)}" rx="2"><title>${htmlText(text)}</title></rect>`;
  });
  const limit = scale.place(1).toFixed(1);
  const line = `<line class="limit" x1="${left}" x2="${width - right}" y1="${limit}" y2="${limit}"/><text class="bad" x="${left + 6}" y="${Number(limit) - 6}">threshold</text>`;
  const names = namesAxis(
    bars.map(({ name }) => name),
    place,
  );
  return svg(
    verticalAxis(scale, "largest error ÷ threshold") +
      drawn.join("") +
      line +
      firstBad(bars, place, scale.place) +
      names,
    "Error of each block as a share of its threshold",
  );
}

function firstBad(bars: readonly Bar[], place: (at: number) => number, height: (share: number) => number): string {
  const at = bars.findIndex(({ ok }) => !ok);
  if (at < 0) return "";
  const x = place(at);
  const isRight = at > bars.length / 2;
  const y = Math.max(FRAME.top + 12, height(bars[at]!.share) - 8);
  return `<text class="bad" x="${(x + (isRight ? -6 : 6)).toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${isRight ? "end" : "start"}">begins in ${htmlText(bars[at]!.name)}</text>`;
}
