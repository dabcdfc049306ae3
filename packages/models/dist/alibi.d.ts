/**
 * The slopes of ALiBi: powers of one base for a power of two of heads; other counts take the rest from between, of the
 * next power of two.
 */
export declare function alibiSlopes(heads: number): number[];
/** MPT's: the same idea with a maximum of its own, and the odd ones first where heads are no power of two. */
export declare function mptSlopes(heads: number, max: number): number[];
/** To the nearest bfloat16, ties to even. */
export declare function roundToBfloat16(value: number): number;
//# sourceMappingURL=alibi.d.ts.map