import type { Instruction, Program } from "./program.ts";

/** Fewest bytes from each instruction to the end of its rule (or of its loop's round); infinite where there is no way. */
export function distances({ code, starts }: Program): Float64Array {
  const distance = new Float64Array(code.length).fill(Number.POSITIVE_INFINITY);
  const of = (instruction: Instruction): number => {
    switch (instruction.op) {
      case "return":
      case "again":
        return 0;
      case "byte":
        return 1 + Math.min(...instruction.cases.map(({ to }) => distance[to]));
      case "fork":
        return instruction.to.reduce((least, to) => Math.min(least, distance[to]), Number.POSITIVE_INFINITY);
      case "call":
        return distance[starts.get(instruction.rule)!] + distance[instruction.next];
      case "loop":
        return (instruction.min === 0 ? 0 : instruction.min * distance[instruction.body]) + distance[instruction.next];
    }
  };
  const users = usersOf(code, starts);
  const queue = Array.from(code.keys());
  const queued = new Uint8Array(code.length).fill(1);
  for (let i = 0; i < queue.length; i++) {
    const at = queue[i];
    queued[at] = 0;
    const now = of(code[at]);
    if (now >= distance[at]) continue;
    distance[at] = now;
    for (const user of users[at] ?? []) {
      if (queued[user]) continue;
      queued[user] = 1;
      queue.push(user);
    }
  }
  return distance;
}

/** For each instruction, those whose distance depends on it. */
function usersOf(code: Program["code"], starts: Program["starts"]): (number[] | undefined)[] {
  const users: (number[] | undefined)[] = new Array(code.length);
  const add = (of: number, user: number): void => void (users[of] ??= []).push(user);
  for (const [at, instruction] of code.entries()) {
    if (instruction.op === "byte") for (const { to } of instruction.cases) add(to, at);
    else if (instruction.op === "fork") for (const to of instruction.to) add(to, at);
    else if (instruction.op === "call")
      for (const used of [instruction.next, starts.get(instruction.rule)!]) add(used, at);
    else if (instruction.op === "loop") for (const used of [instruction.next, instruction.body]) add(used, at);
  }
  return users;
}
