import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { draw, randomState } from "../../random/random-state.ts";
import { JavaScriptSweeps } from "./in-javascript.ts";
import { WebAssemblySweeps } from "./in-webassembly.ts";
import { BLOCK, type Sweeps } from "./sweeps.ts";
import { sweepsFor } from "./sweeps-for.ts";

const BLOCKS = 3;

/** Scores of any size, with what models sometimes give among them. */
const scores = fc
  .record({ seed: fc.nat(), spread: fc.constantFrom(0.01, 1, 10, 90), strange: fc.constantFrom(0, 0.2) })
  .map(({ seed, spread, strange }) => {
    let random = randomState(seed);
    const uniform = (): number => {
      const [u, next] = draw(random);
      random = next;
      return u;
    };
    const odd = [Number.NaN, -Infinity, -0, 3e38, 1e-40, -3e38];
    return Float32Array.from({ length: BLOCKS * BLOCK }, (_, i) =>
      uniform() < strange ? odd[i % odd.length]! : spread * (uniform() - uniform()),
    );
  });

/** The bits of all that sweeps leave behind. */
function bitsOf({ scores, masses, sums, bins }: Sweeps): readonly BigInt64Array[] {
  return [scores, masses, sums, bins].map((array) => new BigInt64Array(array.slice().buffer));
}

describe("sweeps in WebAssembly", () => {
  it("are those in JavaScript, to the bit", () => {
    fc.assert(
      fc.property(
        ...[
          scores,
          fc.float({ min: Math.fround(0.1), max: 5, noNaN: true }),
          fc.double({ min: 0, max: 80, noNaN: true }),
        ],
        ...[fc.float({ min: -20, max: 20, noNaN: true }), fc.float({ min: -20, max: 20, noNaN: true })],
        (values, temperature, center, a, b) => {
          const all = [new WebAssemblySweeps(BLOCKS), new JavaScriptSweeps(BLOCKS)].map((sweeps) => {
            const blocks = BLOCKS - 1; // what lies behind stays as it is
            sweeps.scores.set(values);
            const best = sweeps.divide(blocks, temperature);
            const left: unknown[] = [best];
            const look = (returned: unknown): void => void left.push(returned, bitsOf(sweeps));
            if (!Number.isFinite(best)) return left;
            look(sweeps.weigh(blocks, best));
            look(sweeps.histogram(blocks, best, center, 32));
            look(sweeps.within(blocks, best, center, Math.abs(b)));
            const count = sweeps.gather(blocks, best, center, Math.min(Math.abs(a), Math.abs(b)), Math.abs(a) + 1);
            left.push(sweeps.found.slice(0, count));
            look(sweeps.tally(blocks, Math.min(a, b), Math.max(a, b)));
            look(sweeps.restrict(blocks, Math.min(a, b), Math.max(a, b)));
            look(sweeps.weighAndMeasure(blocks, best));
            return left;
          });
          expect(all[0]).toEqual(all[1]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("do without where there is none", () => {
    expect(sweepsFor(5000)).toBeInstanceOf(WebAssemblySweeps);
    vi.stubGlobal("WebAssembly", undefined);
    try {
      expect(sweepsFor(5000)).toBeInstanceOf(JavaScriptSweeps);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it("are built from what lies in assembly/", () => {
    const build = fileURLToPath(new URL("../../../assembly/build.ts", import.meta.url));
    execFileSync(process.execPath, [build, "--check"], { stdio: "pipe" });
  });
});
