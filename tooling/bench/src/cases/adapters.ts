import { rmSync } from "node:fs";
import type { LowRankAdapter, Session } from "@llm/target";
import { cpuTarget } from "@llm/target-cpu";
import { tensor } from "@llm/tensor";
import type { Case, Measurement, Side } from "../case.ts";
import { MODEL, randomArtefact, randomCheckpoint } from "./cpu-model.ts";

const DECODED = 32;
const RANK = 16;
/** What published adapters mostly change. */
const PLACES = [
  ["q_proj", MODEL.hidden_size, MODEL.hidden_size],
  ["v_proj", MODEL.hidden_size, MODEL.hidden_size / 2],
] as const;

function adapterOf(path: string): LowRankAdapter {
  const random = (rows: number, columns: number) =>
    tensor(
      "f32",
      [rows, columns],
      Float32Array.from({ length: rows * columns }, () => (Math.random() - 0.5) / 100),
    );
  const modules = Array.from({ length: MODEL.num_hidden_layers }, (_, layer) =>
    PLACES.map(([name, from, to]) => {
      return {
        module: `model.layers.${layer}.self_attn.${name}`,
        a: random(RANK, from),
        b: random(to, RANK),
        scale: 1,
      };
    }),
  ).flat();
  return { path, modules };
}

/** In time of the processor, which is the same on a busy machine. */
async function decode(session: Session, adapter: number): Promise<Measurement> {
  const want = { kind: "token", sampling: { method: "greedy" }, last: 1 } as const;
  const before = process.cpuUsage();
  for (let at = 0; at < DECODED; at++) await session.step([{ slot: 0, at, tokens: Int32Array.of(at), adapter, want }]);
  const { user, system } = process.cpuUsage(before);
  return { decode: (user + system) / 1000 / DECODED };
}

/** What a step costs more where adapters can be chosen, and where one is: the most that it can, of a model with little to do. */
export const adapters: Case = {
  name: "adapters",
  title: "A model that takes adapters, without and with one, against one that takes none (4 bits)",
  metrics: [{ key: "decode", unit: "ms of a processor a token", better: "lower", bar: 1.5 }],
  rounds: 10,
  baseline: "made without",
  sides: async () => {
    const folder = randomCheckpoint(MODEL);
    let open = 0;
    const side = async (name: string, detail: string, makes: boolean, load: boolean): Promise<Side> => {
      const artefact = await randomArtefact(MODEL, { format: "int4", adapters: makes, folder, name });
      const options = { format: "int4", batchSize: 1, ctxLen: 256, threads: 1 };
      const session = await cpuTarget.open(artefact, options, { adapter: async (path) => adapterOf(path) });
      const number = load ? await session.adapter!("random") : 0;
      open++;
      return {
        name,
        detail,
        prepare: async () => void (await decode(session, number)),
        run: () => decode(session, number),
        close: async () => {
          await session.close();
          if (--open === 0) rmSync(folder, { recursive: true });
        },
      };
    };
    return [
      await side("one chosen", `rank ${RANK}, on q_proj and v_proj`, true, true),
      await side("none chosen", "--adapters", true, false),
      await side("made without", `--threads 1; ${DECODED} tokens from the beginning`, false, false),
    ];
  },
};
