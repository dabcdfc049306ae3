import type { DevicePlan } from "@llm/target";
import type { PlanReport } from "../plan.ts";
import { htmlText } from "./html-text.ts";
import { colourOf, htmlTable, legend, reportPage, type Section } from "./page.ts";

/** What takes a device's memory, in the order of the bars. */
const PARTS = [
  { key: "weights", name: "weights", colour: 0 },
  { key: "kv", name: "caches", colour: 1 },
  { key: "activations", name: "activations", colour: 2 },
  { key: "reserve", name: "reserve", colour: 5 },
] as const;

/** What a model needs, as a page: a bar for each device, where each gigabyte goes, and what the figures go by. */
export function planPage(target: string, { card, plan }: PlanReport): string {
  const { fits, maxBatchSize, devices, why } = plan;
  const verdict = fits
    ? { ok: true, text: `It fits, up to batch size ${maxBatchSize}.` }
    : { ok: false, text: maxBatchSize > 0 ? `It doesn't fit; batch size ${maxBatchSize} would.` : "It doesn't fit." };
  const used = PARTS.filter(({ key }) => devices.some((device) => (device[key] ?? 0) > 0));
  const mapped = devices.some(({ tables }) => tables !== undefined);
  return reportPage(`${card.name} on ${target}`, why, verdict, [
    { title: "Memory of each device", html: memoryBars(devices) + legend(used) },
    {
      title: "Figures",
      html: htmlTable(
        ["device", "memory", ...used.map(({ name }) => name), "free", ...(mapped ? ["tables, mapped"] : [])],
        devices.map((device) => ({
          cells: [
            device.name,
            gigabytes(device.total),
            ...used.map(({ key }) => gigabytes(device[key] ?? 0)),
            gigabytes(device.free),
            ...(mapped ? [gigabytes(device.tables ?? 0)] : []),
          ],
          bad: device.free < 0,
        })),
      ),
    },
    ...speedSection(plan),
    ...assumptionSection(plan),
  ]);
}

const WIDTH = 960;
const LEFT = 170;
const RIGHT = 130;
const ROW = 38;
const BAR = 24;

/** Lying bars, each as long as what is needed; a line marks where the device's memory ends. */
function memoryBars(devices: readonly DevicePlan[]): string {
  const most = Math.max(...devices.map(({ total, free }) => Math.max(total, total - free)));
  const scale = (bytes: number) => ((WIDTH - LEFT - RIGHT) * bytes) / most;
  const rows = devices.map((device, row) => {
    const y = 10 + row * ROW;
    let x = LEFT;
    const bars = PARTS.map(({ key, name, colour }) => {
      const bytes = device[key] ?? 0;
      const wide = scale(bytes);
      const bar = `<rect x="${x.toFixed(1)}" y="${y}" width="${wide.toFixed(1)}" height="${BAR}" fill="${colourOf(colour)}"><title>${name}: ${gigabytes(bytes)}</title></rect>`;
      x += wide;
      return bytes > 0 ? bar : "";
    });
    const end = LEFT + scale(device.total);
    const frame = `<rect x="${LEFT}" y="${y}" width="${(end - LEFT).toFixed(1)}" height="${BAR}" fill="none" stroke="var(--line)"/>`;
    const limit = `<line class="limit" x1="${end.toFixed(1)}" x2="${end.toFixed(1)}" y1="${y - 4}" y2="${y + BAR + 4}"/>`;
    const left = device.free < 0 ? `${gigabytes(-device.free)} short` : `${gigabytes(device.free)} free`;
    const beside = Math.max(end, x) + 8;
    return `<text class="strong" x="${LEFT - 10}" y="${y + 17}" text-anchor="end">${htmlText(device.name)}</text>${frame}${bars.join("")}${limit}<text${device.free < 0 ? ' class="bad"' : ""} x="${beside.toFixed(1)}" y="${y + 17}">${left}</text>`;
  });
  const height = 20 + devices.length * ROW;
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="What takes each device's memory">${rows.join("")}</svg>`;
}

function speedSection({ speed }: PlanReport["plan"]): Section[] {
  if (!speed) return [];
  const row = (name: string, { most, usual, by }: (typeof speed)["decode"]) => ({
    cells: [name, most.toFixed(1), usual?.toFixed(1) ?? "", by],
  });
  return [
    {
      title: "Speed",
      note: "Tokens a second, of all sequences together: what memory and arithmetic allow at most, and what is usual where that was published.",
      html: htmlTable(
        ["", "at most", "usual", "decided by"],
        [row("decode", speed.decode), row("prefill", speed.prefill)],
      ),
    },
  ];
}

function assumptionSection({ assumptions = [] }: PlanReport["plan"]): Section[] {
  if (assumptions.length === 0) return [];
  const items = assumptions.map(
    ({ name, value, unit, why }) => `<p><b>${htmlText(name)}</b> ${value} ${htmlText(unit)}: ${htmlText(why)}</p>`,
  );
  return [{ title: "What it goes by", html: items.join("") }];
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}
