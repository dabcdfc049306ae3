import { FRAME, horizontalAxis, linearScale, logScale, svg, verticalAxis } from "./axes.ts";
import { htmlText } from "./html-text.ts";
import { colourOf } from "./page.ts";

export interface QualityPoint {
  readonly name: string;
  readonly bytes: number;
  readonly kl: number;
}

const LINE = 15;

/** Divergence against size: what lies to the left and below is better. */
export function qualityPlot(points: readonly QualityPoint[]): string {
  const { width, height, left, right, top, bottom } = FRAME;
  const megabytes = points.map(({ bytes }) => bytes / 1e6);
  const x = linearScale(megabytes, left, width - right);
  const y = logScale(
    points.map(({ kl }) => kl),
    height - bottom,
    top,
    2,
  );
  const taken: { readonly from: number; readonly to: number; readonly y: number }[] = [];
  const drawn = points.map(({ name, kl }, i) => {
    const [cx, cy] = [x.place(megabytes[i]!), y.place(kl)];
    const wide = name.length * 7;
    const isLeft = cx + 10 + wide > width - right;
    const [from, to] = isLeft ? [cx - 10 - wide, cx - 10] : [cx + 10, cx + 10 + wide];
    // A label that another one is in the way of goes a line up, as often as it must.
    let at = cy + 4;
    while (taken.some((other) => other.from < to && from < other.to && Math.abs(other.y - at) < LINE)) at -= LINE;
    taken.push({ from, to, y: at });
    const text = htmlText(`${name}: ${megabytes[i]!.toFixed(2)} MB, ${kl.toPrecision(3)} nats a token`);
    return `<circle class="dot" cx="${cx.toFixed(1)}" cy="${cy.toFixed(1)}" r="6" style="fill:${colourOf(i)}"><title>${text}</title></circle><text class="strong" x="${(isLeft ? cx - 10 : cx + 10).toFixed(1)}" y="${at.toFixed(1)}" text-anchor="${isLeft ? "end" : "start"}">${htmlText(name)}</text>`;
  });
  return svg(
    verticalAxis(y, "divergence, nats a token") + horizontalAxis(x, "size of the weights, MB") + drawn.join(""),
    "Divergence against size",
  );
}
