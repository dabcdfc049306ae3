import { GraphError } from "./error.ts";
import type { Attrs, Graph, Program } from "./graph.ts";
import type { Dialect } from "./op-def.ts";
import { type Schema, schema } from "./schema.ts";
import { checkProgram } from "./spec.ts";

/** A named step from program to program: pure, tested on its own, listed by `llm passes`. It never knows a model's name. */
export interface Pass<P = Attrs> {
  readonly name: string; // kebab-case
  /** One sentence: what it does and for whom. */
  readonly doc: string;
  readonly params: Schema<P>;
  run(program: Program, params: P, context: PassContext): Program;
}

export interface PassContext {
  /** Dialects besides core-ir's: passes that lower need their tables. */
  readonly dialects: readonly Dialect[];
}

/** A pass by name with its parameters: pipelines are data. */
export interface PassStep {
  readonly pass: string;
  readonly params?: Attrs;
}

/** What one step of a pipeline did. */
export interface PassTrace {
  readonly step: PassStep;
  readonly before: Program;
  readonly after: Program;
}

export interface PipelineOptions {
  readonly passes: readonly Pass[];
  readonly dialects?: readonly Dialect[];
  /** Told after every step; keep the programs for pictures, or let them go. */
  readonly onPass?: (trace: PassTrace) => void;
}

/** A pass whose parameters are inferred from its schema. */
export function pass<P>(definition: Pass<P>): Pass {
  return definition as unknown as Pass;
}

/** A pass that treats every net's graph by itself. */
export function graphPass<P>(
  definition: Omit<Pass<P>, "run"> & { run(graph: Graph, params: P, context: PassContext): Graph },
): Pass {
  return pass<P>({
    ...definition,
    run: (program, params, context) => ({
      ...program,
      nets: program.nets.map((net) => ({ ...net, graph: definition.run(net.graph, params, context) })),
    }),
  });
}

/** A pass that has no parameters. */
export const noParams: Schema<Record<never, never>> = schema({});

/** A whole model as a program of one net, before any pass. */
export function programOf(graph: Graph): Program {
  return { nets: [{ id: "decoder", graph }], moves: [] };
}

/** Runs passes in order and checks the spec before the first and after each; an error names the pass. */
export function runPipeline(program: Program, steps: readonly PassStep[], options: PipelineOptions): Program {
  const { passes, dialects = [], onPass } = options;
  checkProgram(program, dialects);
  let current = program;
  for (const step of steps) {
    const found = passes.find((p) => p.name === step.pass);
    if (!found)
      throw new GraphError(
        "unknown-pass",
        `no pass is called ${step.pass}; there are ${passes.map((p) => p.name).join(", ")}`,
      );
    const before = current;
    try {
      current = found.run(current, found.params.parse(step.params ?? {}), { dialects });
      checkProgram(current, dialects);
    } catch (error) {
      if (!GraphError.isInstance(error)) throw error;
      throw new GraphError(error.code, `pass ${step.pass}: ${error.message}`, { cause: error });
    }
    onPass?.({ step, before, after: current });
  }
  return current;
}
