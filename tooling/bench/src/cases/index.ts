import type { Case } from "../case.ts";
import { adapters } from "./adapters.ts";
import { batching, prefixes } from "./batching.ts";
import { bm1684x } from "./bm1684x.ts";
import { checkpointGguf } from "./checkpoint-gguf.ts";
import { checkpointOpen } from "./checkpoint-open.ts";
import { checkpointRead } from "./checkpoint-read.ts";
import { cpu } from "./cpu.ts";
import { cpuMemory } from "./cpu-memory.ts";
import { cpuCache, cpuRuntime } from "./cpu-runtime.ts";
import { eventLoop } from "./event-loop.ts";
import { experts } from "./experts.ts";
import { export15B, export70B, exportConvert } from "./export.ts";
import { formats } from "./formats.ts";
import { grammar } from "./grammar.ts";
import { graph } from "./graph.ts";
import { mesh, meshPlan } from "./mesh.ts";
import { sampling } from "./sampling.ts";
import { scheduler } from "./scheduler.ts";
import { server } from "./server.ts";
import { speculation } from "./speculation.ts";
import { startup } from "./startup.ts";
import { tokenizerCases } from "./tokenizer.ts";
import { verifyShare } from "./verify-share.ts";

/** Every case; a package's claims have theirs in a file of its own. */
export const cases: readonly Case[] = [
  startup,
  graph,
  export15B,
  export70B,
  exportConvert,
  verifyShare,
  checkpointOpen,
  checkpointRead,
  checkpointGguf,
  formats,
  ...cpu,
  ...cpuMemory,
  cpuCache,
  cpuRuntime,
  ...eventLoop,
  experts,
  adapters,
  ...tokenizerCases,
  grammar,
  sampling,
  ...speculation,
  scheduler,
  ...batching,
  ...prefixes,
  server,
  bm1684x,
  mesh,
  meshPlan,
];
