import { expect, test } from "vitest";
import type { Layer, NetCall, NetPort, Role } from "./layout.ts";
import { streamOf } from "./stream.ts";

const port = (role: Role): NetPort => ({ role, dtype: "f16", shape: [1, 1, 8], bytes: 16 });
const hidden = (value: string) => port({ role: "hidden", value });
const term = (value: string) => port({ role: "term", value });

function call(name: string, device: number, inputs: readonly NetPort[], outputs: readonly NetPort[]): NetCall {
  return { name, device, net: 0, stage: 0, inputs, outputs };
}

const layer = (token: NetCall): Layer => ({ token, prompt: undefined });
const planned = (steps: readonly (readonly NetCall[])[], heads: readonly NetCall[]) =>
  streamOf(
    steps.map((calls) => calls.map(layer)),
    ({ token }) => token,
    heads,
  );

/** Blocks one after the other, on the devices that `home` says. */
function inTurn(blocks: number, home: (block: number) => number) {
  const calls = Array.from({ length: blocks }, (_, i) => [
    call(`block_${i}`, home(i), [hidden(`h${i}`)], [hidden(`h${i + 1}`)]),
  ]);
  const embedding = [call("embedding", 0, [], [hidden("h0")])];
  return planned([embedding, ...calls], [call("lm_head", home(blocks - 1), [hidden(`h${blocks}`)], [])]);
}

/** Parts that hand on what came in beside a term of a sum, on two devices. */
function shared(parts: number) {
  const steps = Array.from({ length: parts }, (_, i) =>
    [0, 1].map((device) =>
      call(`part_${i}_${device}`, device, [hidden(`x${i}`), hidden(`s${i}`)], [hidden(`x${i + 1}`), term(`s${i + 1}`)]),
    ),
  );
  const embedding = [call("embedding", 0, [], [hidden("x0"), hidden("s0")])];
  const heads = [0, 1].map((device) => call(`head_${device}`, device, [hidden(`x${parts}`), hidden(`s${parts}`)], []));
  return planned([embedding, ...steps], heads);
}

test("one device needs two places, however many blocks there are", () => {
  for (const blocks of [1, 2, 9])
    expect(inTurn(blocks, () => 0).uses.map(({ use }) => use)).toEqual(["hidden 0", "hidden 1"]);
});

test("what the next device goes on with is copied there, once", () => {
  const { items, left } = inTurn(4, (block) => (block < 2 ? 0 : 1));
  const copies = items.filter((item) => item.do === "copy");
  expect(copies).toHaveLength(1);
  expect(copies[0]).toMatchObject({ from: { device: 0 }, to: { device: 1 }, bytes: 16 });
  expect([...left.values()].map(({ device }) => device)).toEqual([1]);
});

test("sums of every device's terms go to all that go on with them, in as much memory for many parts as for few", () => {
  const { items, uses } = shared(3);
  const sums = items.filter((item) => item.do === "sum");
  expect(sums.map(({ terms, to }) => [terms, to].map((of) => of.map(({ device }) => device)))).toEqual(
    Array(3).fill([
      [0, 1],
      [0, 1],
    ]),
  );
  expect(shared(30).uses).toEqual(uses);
});

test("no launch writes where another value is that is still wanted", () => {
  const { items, left } = shared(6);
  const held = new Map<string, string>(); // place → value
  const at = ({ device, use }: { device: number; use: string }) => `${device} ${use}`;
  const name = ({ role }: NetPort) => ("value" in role ? `${role.role} ${role.value}` : "");
  for (const item of items) {
    if (item.do === "launch") {
      for (const input of item.call.inputs) expect(held.get(at(item.hidden.get(input)!))).toBe(name(input));
      for (const output of item.call.outputs) held.set(at(item.hidden.get(output)!), name(output));
    } else if (item.do === "copy") held.set(at(item.to), held.get(at(item.from))!);
    else {
      for (const place of item.terms) expect(held.get(at(place))).toBe(name(item.port));
      for (const place of item.to) held.set(at(place), name(item.port).replace("term", "hidden"));
    }
  }
  for (const [input, place] of left) expect(held.get(at(place))).toBe(name(input));
});

test("what no net gives is named", () => {
  const steps = [[call("embedding", 0, [], [hidden("a")])], [call("block_0", 0, [hidden("b")], [hidden("c")])]];
  expect(() => planned(steps, [])).toThrow("block_0 takes b, which no net before it gives");
});
