import { shardEmbed } from "../mesh/rules/embed.ts";
import { op } from "../op-def.ts";
import { integer, optional, schema } from "../schema.ts";
import { check, trailing, typeText, wantDType } from "../shape.ts";
import { f32, floats, ints } from "../values.ts";

export const embed = op({
  doc: "Rows of a table; id −1 (no token) reads row 0.",
  operands: ["table", "ids"],
  attrs: schema({
    /** Added to ids: OPT's positions start at row 2. */
    offset: optional(integer()),
  }),
  infer([table, ids]) {
    check(table!.shape.length === 2, () => `table is ${typeText(table!)} and must be [V, D]`);
    wantDType(ids!, "ids", "i32");
    return [{ dtype: table!.dtype, shape: [...ids!.shape, ...trailing(table!, 1, "table")] }];
  },
  eval([table, ids], { offset = 0 }) {
    const [rows, width] = table!.shape as [number, number]; // (vocab, dim)
    const from = floats(table!);
    const at = ints(ids!);
    const out = f32([...ids!.shape, width]);
    for (let t = 0; t < at.length; t++) {
      const row = at[t]! < 0 ? 0 : at[t]! + offset;
      if (row < 0 || row >= rows) throw new RangeError(`id ${at[t]} is not in a table of ${rows - offset}`);
      floats(out).set(from.subarray(row * width, (row + 1) * width), t * width);
    }
    return [out];
  },
  lower({ ins: [table, ids], attrs: { offset = 0 } }, b) {
    const present = b.clip(ids!, { min: 0 });
    if (offset === 0) return [b.gather(table!, present)];
    // "No token" reads row 0, not row `offset`: as above, so that both are equal everywhere.
    const missing = b.compare("lt", ids!, b.constant(0, "i32"));
    const shifted = b.binary("add", present, b.constant(offset, "i32"));
    return [b.gather(table!, b.where(missing, b.constant(0, "i32"), shifted))];
  },
  shard: shardEmbed,
});
