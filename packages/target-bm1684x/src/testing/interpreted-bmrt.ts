import { type Graph, interpret, loadWeights, parseGraph } from "@llm/core-ir";
import type { BmrtNet, BmrtStagePort } from "@llm/runtime-native/bmrt";
import type { Unit } from "@llm/target";
import type { Tensor, WeightSource } from "@llm/tensor";
import type { NetsFile } from "../compile/nets-file.ts";
import { JOIN_KIND, type JoinSpec, type NetSpec } from "../compile/units.ts";
import { HostBmrt, type Launch } from "./host-bmrt.ts";

interface Stage {
  /** With its states among the inputs, and what becomes of them among the outputs. */
  readonly graph: Graph;
  readonly weights: ReadonlyMap<string, Tensor>;
}

interface InterpretedNet {
  readonly info: BmrtNet;
  readonly stages: readonly Stage[];
}

/** Devices that run what would be compiled for them by the interpreter, in 32 bits. */
export class InterpretedBmrt extends HostBmrt {
  /** What the compiler would put beside the first bmodel. */
  readonly list: NetsFile;
  readonly #nets: readonly (readonly InterpretedNet[])[];

  private constructor(list: NetsFile, nets: readonly (readonly InterpretedNet[])[]) {
    super(nets.length);
    this.list = list;
    this.#nets = nets;
  }

  static async of(units: readonly Unit[], source: WeightSource): Promise<InterpretedBmrt> {
    const joins = units.filter(({ kind }) => kind === JOIN_KIND).map(({ spec }) => spec as unknown as JoinSpec);
    const nets: InterpretedNet[][] = [];
    for (const { parts } of joins) {
      const stages = new Map<string, Stage[]>();
      for (const { unit } of parts) {
        const { graph, name } = units.find(({ id }) => id === unit)!.spec as unknown as NetSpec;
        const stage = stageOf(parseGraph(graph));
        const made = { graph: stage, weights: await loadWeights(stage, source) };
        stages.set(name, [...(stages.get(name) ?? []), made]);
      }
      nets.push([...stages].map(([name, of]) => ({ info: infoOf(name, of), stages: of })));
    }
    return new InterpretedBmrt(joins[0]!.list!, nets);
  }

  async load(device: number): Promise<readonly BmrtNet[]> {
    return this.#nets[device]!.map(({ info }) => info);
  }

  protected launch({ device, net, stage, inputs, outputs }: Launch): void {
    const { info, stages } = this.#nets[device]![net]!;
    this.launches.push(`${device}:${info.name}`);
    const { graph, weights } = stages[stage]!;
    const shapes = info.stages[stage]!;
    const given = graph.inputs.map(({ id, type }, i) => {
      const { shape, bytes } = shapes.inputs[i]!;
      const held = this.floats(device, inputs[i]!, bytes).slice();
      const data = type.dtype === "i32" ? new Int32Array(held.buffer) : held;
      return [id, { dtype: type.dtype, shape, data } as Tensor] as const;
    });
    const results = interpret(graph, { inputs: Object.fromEntries(given), weights, states: new Map() });
    graph.outputs.forEach(({ id, type }, i) => {
      const into = this.floats(device, outputs[i]!, shapes.outputs[i]!.bytes);
      const { data } = results.outputs[id]!;
      if (type.dtype === "i32") new Int32Array(into.buffer, into.byteOffset, into.length).set(data as Int32Array);
      else into.set(data as Float32Array);
    });
  }
}

function stageOf(graph: Graph): Graph {
  return {
    ...graph,
    inputs: [...graph.inputs, ...graph.states.map(({ value }) => value)],
    outputs: [...graph.outputs, ...graph.states.map(({ next }) => next)],
    states: [],
  };
}

function infoOf(name: string, stages: readonly Stage[]): BmrtNet {
  const [{ graph }] = stages as [Stage];
  const port = ({ id, type }: Graph["inputs"][number]) =>
    ({ name: id, dtype: type.dtype === "i32" ? "i32" : "f32" }) as const;
  const shaped = ({ type }: Graph["inputs"][number]): BmrtStagePort => {
    const shape = type.shape as readonly number[];
    return { shape, bytes: 4 * shape.reduce((product, size) => product * size, 1) };
  };
  return {
    name,
    dynamic: false,
    addressMode: "basic",
    inputs: graph.inputs.map(port),
    outputs: graph.outputs.map(port),
    stages: stages.map((stage) => ({
      inputs: stage.graph.inputs.map(shaped),
      outputs: stage.graph.outputs.map(shaped),
    })),
  };
}
