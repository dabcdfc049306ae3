import { htmlText } from "./html-text.ts";

/** The room of a plot, inside its margins. */
export const FRAME = { width: 960, height: 380, left: 74, right: 24, top: 18, bottom: 58 } as const;

/** From a value to a place. */
export interface Scale {
  place(value: number): number;
  readonly ticks: readonly number[];
}

/** Decades from below the least to above the greatest; what is not above 0 lies on the floor. */
export function logScale(values: readonly number[], from: number, to: number, decades = 1): Scale {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value));
  // The least stands well above the floor, on which what is 0 lies.
  const low = Math.floor(Math.log10(Math.min(...(positive.length > 0 ? positive : [0.1])) / 2));
  const high = Math.max(low + decades, Math.ceil(Math.log10(Math.max(...(positive.length > 0 ? positive : [1])))));
  const step = Math.max(1, Math.ceil((high - low) / 8));
  const ticks: number[] = [];
  for (let power = low; power <= high; power += step) ticks.push(10 ** power);
  const share = (value: number) =>
    value > 0 ? Math.min(1, Math.max(0, (Math.log10(value) - low) / (high - low))) : Number.isNaN(value) ? 1 : 0;
  return { place: (value) => from + (to - from) * share(value), ticks };
}

/** From 0 to a round number above the greatest. */
export function linearScale(values: readonly number[], from: number, to: number): Scale {
  const most = Math.max(...values, Number.MIN_VALUE) * 1.08;
  const rough = most / 6;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * size).find((one) => one >= rough)!;
  const ticks = Array.from({ length: Math.floor(most / step) + 1 }, (_, i) => i * step);
  return { place: (value) => from + (to - from) * (value / most), ticks };
}

export function tickText(value: number): string {
  if (value === 0) return "0";
  const power = Math.log10(value);
  if (Number.isInteger(Math.round(power * 1e9) / 1e9) && Math.abs(power) >= 3) return `1e${Math.round(power)}`;
  return String(Number(value.toPrecision(3)));
}

/** Horizontal lines with their values on the left, and what they are of. */
export function verticalAxis(scale: Scale, title: string): string {
  const { left, right, width, top, height, bottom } = FRAME;
  const lines = scale.ticks.map((tick) => {
    const y = scale.place(tick).toFixed(1);
    return `<line class="grid" x1="${left}" x2="${width - right}" y1="${y}" y2="${y}"/><text x="${left - 8}" y="${Number(y) + 4}" text-anchor="end">${tickText(tick)}</text>`;
  });
  const middle = (top + height - bottom) / 2;
  return `${lines.join("")}<text x="16" y="${middle}" transform="rotate(-90 16 ${middle})" text-anchor="middle">${htmlText(title)}</text>`;
}

export function horizontalAxis(scale: Scale, title: string): string {
  const { left, right, width, height, bottom } = FRAME;
  const y = height - bottom;
  const ticks = scale.ticks.map((tick) => {
    const x = scale.place(tick).toFixed(1);
    return `<line class="grid" x1="${x}" x2="${x}" y1="${FRAME.top}" y2="${y}"/><text x="${x}" y="${y + 18}" text-anchor="middle">${tickText(tick)}</text>`;
  });
  return `${ticks.join("")}<line class="axis" x1="${left}" x2="${width - right}" y1="${y}" y2="${y}"/><text x="${(left + width - right) / 2}" y="${height - 14}" text-anchor="middle">${htmlText(title)}</text>`;
}

/** Names along the bottom; of many, every so many. */
export function namesAxis(names: readonly string[], place: (at: number) => number): string {
  const { left, right, width, height, bottom } = FRAME;
  const y = height - bottom;
  const every = Math.max(1, Math.ceil((names.length * 46) / (width - left - right)));
  const texts = names.flatMap((name, at) =>
    at % every === 0 || at === names.length - 1
      ? [`<text x="${place(at).toFixed(1)}" y="${y + 18}" text-anchor="middle">${htmlText(shortName(name))}</text>`]
      : [],
  );
  return `<line class="axis" x1="${left}" x2="${width - right}" y1="${y}" y2="${y}"/>${texts.join("")}<text x="${(left + width - right) / 2}" y="${height - 14}" text-anchor="middle">block</text>`;
}

/** `block_17` is 17 on an axis that says blocks. */
export function shortName(name: string): string {
  return /^block_(\d+)$/.exec(name)?.[1] ?? name;
}

export function svg(content: string, label: string): string {
  return `<svg viewBox="0 0 ${FRAME.width} ${FRAME.height}" role="img" aria-label="${htmlText(label)}">${content}</svg>`;
}
