/** Labels of a series, in the order in which they are written. */
export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
  /** What stands behind the metric's name: `_bucket`, `_sum`, `_count`, `_total`. */
  readonly suffix?: string;
}

export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly samples: readonly Sample[];
}

export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Metrics in Prometheus's text format. */
export function exposition(families: readonly MetricFamily[]): string {
  return families.map(family).join("");
}

function family({ name, help, type, samples }: MetricFamily): string {
  const lines = samples.map(
    ({ labels, value, suffix = "" }) => `${name}${suffix}${labelled(labels)} ${number(value)}\n`,
  );
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function labelled(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

const escaped = (value: string): string =>
  value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');

const number = (value: number): string => (value === Number.POSITIVE_INFINITY ? "+Inf" : String(value));
