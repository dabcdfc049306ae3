import { FRAME, logScale, namesAxis, svg, verticalAxis } from "./axes.ts";
import { htmlText } from "./html-text.ts";
import { colourOf, legend } from "./page.ts";

export interface Series {
  readonly name: string;
  /** Which colour it has, here and in other plots of a page. */
  readonly colour: number;
  readonly points: readonly { readonly name: string; readonly value: number }[];
}

/** How an error grows from block to block, one line for each series. */
export function blockLines(series: readonly Series[], title: string): string {
  const { width, height, left, right, top, bottom } = FRAME;
  const names = series[0]!.points.map(({ name }) => name);
  const scale = logScale(
    series.flatMap(({ points }) => points.map(({ value }) => value)),
    height - bottom,
    top,
    2,
  );
  const step = (width - left - right - 40) / Math.max(1, names.length - 1);
  const place = (at: number) => left + 20 + at * step;
  const lines = series.map(({ name, points, colour }) => {
    const places = points.map(({ value }, at) => [place(at).toFixed(1), scale.place(value).toFixed(1)] as const);
    const dots = points.map(
      ({ name: block, value }, at) =>
        `<circle class="dot" cx="${places[at]![0]}" cy="${places[at]![1]}" r="4" style="fill:${colourOf(colour)}"><title>${htmlText(`${name}, ${block}: ${value.toPrecision(3)}`)}</title></circle>`,
    );
    return `<polyline class="series" style="stroke:${colourOf(colour)}" points="${places.map((xy) => xy.join(",")).join(" ")}"/>${dots.join("")}`;
  });
  return svg(verticalAxis(scale, title) + namesAxis(names, place) + lines.join(""), title) + legend(series);
}
