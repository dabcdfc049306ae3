import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JavaScriptSweeps } from "./in-javascript.ts";
import { WebAssemblySweeps } from "./in-webassembly.ts";
import { BLOCK, type Sweeps } from "./sweeps.ts";

const BLOCKS = 3;

const scores = fc
  .array(fc.oneof({ weight: 20, arbitrary: fc.float({ min: -90, max: 90 }) }, { weight: 1, arbitrary: fc.float() }), {
    minLength: BLOCKS * BLOCK,
    maxLength: BLOCKS * BLOCK,
  })
  .map((values) => Float32Array.from(values, (x) => (x === Infinity ? 0 : x)));

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
      { numRuns: 30 },
    );
  });

  it("are built from what lies in assembly/", () => {
    const build = fileURLToPath(new URL("../../../assembly/build.ts", import.meta.url));
    execFileSync(process.execPath, [build, "--check"], { stdio: "pipe" });
  });
});
