import type { Value } from "../../graph.ts";
import { sameShape } from "../../shape.ts";
import { fits, PARTIAL, type Placement, type Split, WHOLE } from "../placement.ts";
import { type Shard, type ShardQuestion, type ShardRule, splitsNamed } from "../shard-rule.ts";

/** Of an operand that broadcasts: its part where it has the axis, itself where it doesn't. */
function partOf(value: Value | null, split: Split): Placement | null {
  return value && (fits(value.type, split) ? split : WHOLE);
}

/** Ops that act on each entry: parts make parts. */
export const shardEntrywise: ShardRule = (question) => {
  const { op } = question;
  const out = op.outs[0]!;
  return splitsNamed(question)
    .filter(({ split }) => fits(out.type, split))
    .map(({ split }) => ({ ins: op.ins.map((value) => partOf(value, split)), outs: [split] }));
};

/** Only along axes that rows' common scales don't run along. */
export const shardRound: ShardRule = (question) => {
  const { format } = question.op.attrs;
  const each = format === "bf16" || format === "fp16" || format === "f16";
  return shardEntrywise(question).filter(({ outs: [out] }) => each || (out?.kind === "split" && out.axis < -1));
};

/** Sums of terms are sums; factors go through to each term. */
export const shardBinary: ShardRule = (question) => {
  const shards = [...shardEntrywise(question)];
  const { op, ins } = question;
  const { fn } = op.attrs;
  const [left, right] = ins;
  const [x, y] = op.ins;
  if (fn === "add" && (left?.kind === "partial" || right?.kind === "partial")) {
    const both = left?.kind === right?.kind;
    const terms = [x!, y!].filter((_, at) => ins[at]?.kind === "partial");
    const wide = terms.every(({ type }) => sameShape(type.shape, op.outs[0]!.type.shape));
    const needed = [x!, y!].every((value, at) => ins[at]?.kind === "partial" || neededWhole(question, value));
    if (wide && (both || (needed && summedLater(question))))
      shards.push({
        ins: [PARTIAL, PARTIAL],
        outs: [PARTIAL],
        build: (b, [a, c]) => [a && c ? b.add(a, c) : (a ?? c ?? null)],
      });
  }
  if (fn === "mul" || (fn === "div" && left?.kind === "partial")) {
    const [first, second] = [left?.kind === "partial", right?.kind === "partial"];
    if (first !== second) shards.push(product(first ? 0 : 1));
  }
  return shards;
};

const product = (term: 0 | 1): Shard => ({ ins: term === 0 ? [PARTIAL, WHOLE] : [WHOLE, PARTIAL], outs: [PARTIAL] });

/** Whether other ops need the whole of a value: what only the first rank adds would be nobody's business on the others. */
function neededWhole({ op, uses }: ShardQuestion, value: Value): boolean {
  const { ops, output } = uses(value);
  return output || ops.length === 0 || ops.some((other) => other !== op && other.kind !== "binary");
}

/** Whether adding first and summing over the ranks later saves anything: another term follows, or only some rows are used. */
function summedLater({ op, uses }: ShardQuestion): boolean {
  const { ops, output } = uses(op.outs[0]!);
  return (
    !output &&
    ops.length === 1 &&
    (ops[0]!.kind === "pick" || (ops[0]!.kind === "binary" && ops[0]!.attrs.fn === "add"))
  );
}

/** Rows of what there is: of parts parts, of terms terms. */
export const shardPick: ShardRule = ({ ins: [x], wants: [want] }) => {
  if (x?.kind === "partial") return [{ ins: [PARTIAL, WHOLE], outs: [PARTIAL] }];
  const split = x?.kind === "split" ? x : want;
  return split?.axis === -1 ? [{ ins: [split, WHOLE], outs: [split] }] : [];
};
