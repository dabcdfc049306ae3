import type { Labels, MetricFamily, Sample } from "./exposition.ts";

/** A count that only grows, by labels. */
export class Counter {
  readonly #name: string;
  readonly #help: string;
  readonly #values = new Map<string, { readonly labels: Labels; value: number }>();

  /** @param name ends in `_total` */
  constructor(name: string, help: string) {
    this.#name = name;
    this.#help = help;
  }

  add(labels: Labels, by = 1): void {
    this.of(labels)(by);
  }

  /** What adds to the count of these labels: looked up once, where it is counted often. */
  of(labels: Labels): (by: number) => void {
    const key = JSON.stringify(labels);
    return (by) => {
      const known = this.#values.get(key);
      if (known) known.value += by;
      else this.#values.set(key, { labels, value: by });
    };
  }

  get family(): MetricFamily {
    return { name: this.#name, help: this.#help, type: "counter", samples: [...this.#values.values()] };
  }
}

interface Observed {
  readonly labels: Labels;
  readonly counts: Float64Array; // by bucket, the last without a bound
  sum: number;
}

/** How often values fell below each of some bounds. */
export class Histogram {
  readonly #name: string;
  readonly #help: string;
  readonly #bounds: readonly number[];
  readonly #observed = new Map<string, Observed>();

  constructor(name: string, help: string, bounds: readonly number[]) {
    this.#name = name;
    this.#help = help;
    this.#bounds = bounds;
  }

  observe(labels: Labels, value: number): void {
    this.of(labels)(value);
  }

  /** What observes under these labels: looked up once, where it is observed often. */
  of(labels: Labels): (value: number) => void {
    const key = JSON.stringify(labels);
    return (value) => {
      let series = this.#observed.get(key);
      if (!series) {
        series = { labels, counts: new Float64Array(this.#bounds.length + 1), sum: 0 };
        this.#observed.set(key, series);
      }
      const bucket = this.#bounds.findIndex((bound) => value <= bound);
      series.counts[bucket < 0 ? this.#bounds.length : bucket]++;
      series.sum += value;
    };
  }

  get family(): MetricFamily {
    const samples = [...this.#observed.values()].flatMap((series) => this.#samplesOf(series));
    return { name: this.#name, help: this.#help, type: "histogram", samples };
  }

  #samplesOf({ labels, counts, sum }: Observed): Sample[] {
    let below = 0;
    const buckets = [...this.#bounds, Number.POSITIVE_INFINITY].map((bound, i) => {
      below += counts[i];
      const le = bound === Number.POSITIVE_INFINITY ? "+Inf" : String(bound);
      return { suffix: "_bucket", labels: { ...labels, le }, value: below };
    });
    return [...buckets, { suffix: "_sum", labels, value: sum }, { suffix: "_count", labels, value: below }];
  }
}
