import type { Progress, StageResult, StageState } from "./progress.ts";
import type { Style } from "./style.ts";
import { bytes, seconds } from "./units.ts";

/** The part of a terminal that the display needs. */
export interface Terminal {
  readonly columns?: number;
  write(text: string): unknown;
}

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const FRAME_MS = 80;
const CLEAR_LINE = "\r\x1b[2K";
const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
const BAR_WIDTH = 24;
const NAME_WIDTH = 9;

/** Shorter ones say nothing. */
const LEAST_BAR = 4;
const LEAST_NOTE = 8;

interface Stage {
  readonly name: string;
  readonly since: number;
  state: StageState;
}

/** One line that moves for the stage in hand; what is done stays above it. */
export function terminalProgress(
  terminal: Terminal,
  style: Style,
  now: () => number = () => performance.now(),
): Progress {
  let stage: Stage | undefined;
  let timer: NodeJS.Timeout | undefined;
  let frame = 0;

  const draw = () => {
    if (!stage) return;
    const spinner = style.cyan(FRAMES[frame++ % FRAMES.length]!);
    const took = (now() - stage.since) / 1000;
    const name = stage.name.padEnd(NAME_WIDTH);
    const width = (terminal.columns ?? 80) - name.length - 4; // the spinner, two spaces, and a column that stays free
    terminal.write(`${CLEAR_LINE}${spinner} ${name} ${status(stage.state, took, width, style)}`);
  };
  const stop = () => {
    clearInterval(timer);
    timer = undefined;
    stage = undefined;
    terminal.write(CLEAR_LINE + SHOW_CURSOR);
  };
  const end = (result: StageResult) => {
    if (!stage) return;
    const { name } = stage;
    stop();
    terminal.write(`${finished(name, result, style)}\n`);
  };
  return {
    begin(name, note) {
      if (stage) end({ seconds: (now() - stage.since) / 1000 });
      stage = { name, since: now(), state: { done: 0, total: 0, ...(note === undefined ? {} : { note }) } };
      terminal.write(HIDE_CURSOR);
      draw();
      timer = setInterval(draw, FRAME_MS);
      timer.unref();
    },
    update(state) {
      if (stage) stage.state = state;
    },
    end,
    line(text) {
      if (stage) terminal.write(CLEAR_LINE);
      terminal.write(`${text}\n`);
      draw();
    },
    close() {
      if (stage) stop();
    },
  };
}

/** How far a stage is, in at most so many columns: what wrapped to a second line would never be cleared. */
function status({ done, total, unit, note }: StageState, took: number, width: number, style: Style): string {
  const time = took >= 1 ? seconds(took) : "";
  const tail = time.length < width / 2 ? time : "";
  let room = width - (tail === "" ? 0 : tail.length + 1);
  const parts: string[] = [];
  if (total > 0) {
    const share = Math.min(1, done / total);
    const size = unit === "bytes" ? `${bytes(done)} of ${bytes(total)}` : `${done} of ${total}`;
    const rate = unit === "bytes" ? `, ${bytes(done / Math.max(took, 0.1))}/s` : "";
    const figures = size.length + rate.length + 1 + LEAST_BAR <= room ? size + rate : size.slice(0, Math.max(0, room));
    room -= figures.length + 1;
    const whole = room < LEAST_BAR ? 0 : Math.min(BAR_WIDTH, room);
    const full = Math.round(share * whole);
    if (whole > 0) parts.push(`${style.cyan("━".repeat(full))}${style.dim("━".repeat(whole - full))}`);
    parts.push(figures);
    room -= whole + 1;
  }
  if (note !== undefined && room > LEAST_NOTE)
    parts.push(style.dim(note.length > room ? `${note.slice(0, room - 1)}…` : note));
  if (tail !== "") parts.push(style.dim(tail));
  return parts.join(" ");
}

function finished(name: string, { skipped, failed, note, seconds: took }: StageResult, style: Style): string {
  const label = name.padEnd(NAME_WIDTH);
  if (failed) return `${style.red("✗")} ${label} ${style.dim(note ?? "failed")}`;
  if (skipped) return style.dim(`↷ ${label} skipped: ${note ?? "up to date"}`);
  return `${style.green("✓")} ${label} ${seconds(took).padStart(7)}${note === undefined ? "" : `  ${style.dim(note)}`}`;
}
