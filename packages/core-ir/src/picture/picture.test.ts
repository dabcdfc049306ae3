import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blockRuns } from "../block-classes.ts";
import { type PassTrace, programOf, runPipeline } from "../pass.ts";
import { corePasses } from "../passes/index.ts";
import { toyDecoder } from "../testing/toy.ts";
import { layOut } from "./layout.ts";
import { drawProgram } from "./page.ts";
import { bytesText, countText, sizeText } from "./sizes.ts";

const toy = toyDecoder({ blocks: 5 });

function draw(...steps: string[]): string {
  const traces: PassTrace[] = [];
  const program = runPipeline(
    programOf(toy),
    steps.map((pass) => ({ pass })),
    { passes: corePasses, onPass: (trace) => traces.push(trace) },
  );
  return drawProgram("toy <5>", program, traces);
}

describe("the picture of a program", () => {
  it("folds equal blocks into one, with how many there are", () => {
    expect(blockRuns(toy).map(({ blocks }) => blocks.length)).toEqual([1, 5, 1]);
    const page = draw();
    expect(page).toContain("<b>block_0 … block_4</b><i>× 5</i>");
    expect(page.match(/<details/g)?.length).toBe(3);
  });

  it("needs nothing from elsewhere and escapes what it is given", () => {
    const page = draw("pad");
    expect(page).not.toMatch(/(src|href)=|url\(|@import|https?:/);
    expect(page).toContain("<title>toy &lt;5&gt;</title>");
    expect(page).not.toContain("toy <5>");
  });

  it("has types and sizes on the edges", () => {
    expect(draw()).toContain("<code>f32[tokens, 8]</code> 32 B × tokens");
    expect(draw()).toMatch(/class="type"[^>]*>f32\[tokens, 12\]<\/text>/);
  });

  it("shows every pass, what it added and what it changed", () => {
    const page = draw("pad", "lower");
    expect(page.match(/data-stage=/g)?.length).toBeGreaterThanOrEqual(3);
    expect(page).toMatch(/<b>pad<\/b><small>\+0 −0 ~5 ops/); // attention lost its slots; the rest only its sizes
    expect(page).toMatch(/class="node [a-z-]+ added"/);
  });

  it("draws nets one after another, equal ones once", () => {
    const titles = draw("split-blocks").match(/<h2>[^<]*<\/h2>/g);
    expect(titles).toEqual(["<h2>embedding</h2>", "<h2>block_0 … block_4 × 5</h2>", "<h2>lm_head</h2>"]);
  });
});

describe("layout", () => {
  it("puts every box below those it follows, and none on another", () => {
    const graphs = fc.array(fc.tuple(fc.integer({ min: 10, max: 200 }), fc.array(fc.nat(30), { maxLength: 3 })), {
      minLength: 1,
      maxLength: 30,
    });
    fc.assert(
      fc.property(graphs, (rows) => {
        const boxes = rows.map(([width, after], i) => ({
          left: width / 2,
          right: width / 2,
          height: 30,
          after: [...new Set(after.filter((j) => j < i))],
        }));
        const { places, width, height } = layOut(boxes);
        boxes.forEach((box, i) => {
          const place = places[i]!;
          for (const j of box.after) expect(place.y).toBeGreaterThan(places[j]!.y + 30);
          expect(place.x - box.left).toBeGreaterThanOrEqual(-1e-6);
          expect(place.x + box.right).toBeLessThanOrEqual(width + 1e-6);
          expect(place.y + box.height).toBeLessThanOrEqual(height + 1e-6);
          for (let j = 0; j < i; j++)
            if (places[j]!.layer === place.layer)
              expect(Math.abs(places[j]!.x - place.x)).toBeGreaterThanOrEqual(boxes[j]!.left + box.left);
        });
      }),
    );
  });
});

describe("sizes", () => {
  it.each([
    [0, "0 B"],
    [1536, "1.5 KB"],
    [1024 ** 3, "1 GB"],
    [603_979_776, "576 MB"],
  ])("%i bytes are %s", (bytes, text) => expect(bytesText(bytes)).toBe(text));

  it("name what is open", () => {
    expect(sizeText({ dtype: "f16", shape: ["batch*seq", 512] })).toBe("1 KB × batch × seq");
    expect(sizeText({ dtype: "i32", shape: [] })).toBe("4 B");
    expect(countText(15_517_456_384)).toBe("15.5 B");
  });
});
