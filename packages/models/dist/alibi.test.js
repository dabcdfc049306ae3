import { describe, expect, it } from "vitest";
import { alibiSlopes, mptSlopes, roundToBfloat16 } from "./alibi.js";
describe("ALiBi", () => {
    it("has the published slopes for a power of two of heads, and fills up from the next", () => {
        expect(alibiSlopes(4)).toEqual([2 ** -2, 2 ** -4, 2 ** -6, 2 ** -8]);
        expect(alibiSlopes(6)).toEqual([2 ** -2, 2 ** -4, 2 ** -6, 2 ** -8, 2 ** -1, 2 ** -3]);
    });
    it("has MPT's with its own maximum, odd ones first", () => {
        expect(mptSlopes(4, 16)).toEqual([2 ** -4, 2 ** -8, 2 ** -12, 2 ** -16]);
        expect(mptSlopes(6, 8)).toEqual([2, 4, 6, 8, 1, 3].map((power) => 2 ** -power));
    });
    it("rounds to bfloat16 with ties to even", () => {
        expect(roundToBfloat16(1 + 2 ** -8)).toBe(1);
        expect(roundToBfloat16(1 + 3 * 2 ** -8)).toBe(1 + 2 ** -6);
        expect(roundToBfloat16(-Math.SQRT1_2)).toBe(-0.70703125);
    });
});
//# sourceMappingURL=alibi.test.js.map