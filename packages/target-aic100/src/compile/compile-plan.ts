import { createHash } from "node:crypto";
import { canonicalJson, type Json } from "@llm/target";
import { artefactName } from "./artefact-name.ts";
import { type CompilePaths, compilerArguments } from "./command-line.ts";
import { customIoFile } from "./custom-io.ts";
import { partitionFile } from "./partition.ts";
import { PROFILES, type SdkProfile } from "./sdk-profiles.ts";
import { type CompileSettings, checkSettings } from "./settings.ts";
import { specializationsFile, specializationsOf } from "./specializations.ts";

/** The graph that is compiled, as far as the compiler's files speak of it. */
export interface CompiledGraph {
  /** Inputs of caches: past_key.0, past_value.0, past_key.1 … */
  readonly states: readonly string[];
  /** A hash of the ONNX file and its weights. */
  readonly key: string;
}

/** All of a compile that can be said before it: paths are relative to the folder it runs in. */
export interface CompilePlan {
  readonly program: SdkProfile["program"];
  readonly args: readonly string[];
  readonly paths: CompilePaths;
  /** The compiler's configuration files: path and text. */
  readonly files: Readonly<Record<string, string>>;
  /** The folder that has the published name. */
  readonly folder: string;
  /** Sequences that it will decode together. */
  readonly batchSize: number;
  /** Equal for equal QPCs: names don't carry every option. */
  readonly key: string;
}

/** What is compiled where, with which command and files, laid out as the profile's own scripts expect. */
export function planCompile(settings: CompileSettings, graph: CompiledGraph): CompilePlan {
  const profile = checkSettings(settings);
  const specializations = specializationsFile(settings);
  const customIo = customIoFile(settings, graph.states);
  const { devices, numCores, connection } = settings;
  const partition =
    devices > 1 || profile.partitionAlways ? partitionFile({ devices, numCores, connection }) : undefined;
  // The name of a folder by hash is no part of what is hashed.
  const params: Json = {
    command: [profile.program, ...compilerArguments(settings, UNNAMED)],
    model: graph.key,
    specializations: JSON.parse(specializations) as Json,
    custom_io: customIo,
    mdp: partition === undefined ? null : (JSON.parse(partition) as Json),
  };
  const { paths, folder } = layout(settings, profile, params);
  const files: Record<string, string> = { [paths.specializations]: specializations, [paths.customIo]: customIo };
  if (partition !== undefined) files[paths.partition] = partition;
  if (profile.naming === "hash") files[`${folder}/hashed_compile_params.json`] = `${JSON.stringify(params, null, 4)}\n`;
  return {
    program: profile.program,
    args: compilerArguments(settings, paths),
    paths,
    files,
    folder,
    batchSize: Number(specializationsOf(settings).at(-1)!.batch_size),
    key: createHash("sha256").update(canonicalJson(params)).digest("hex"),
  };
}

const UNNAMED: CompilePaths = {
  model: "model.onnx",
  specializations: "specializations.json",
  customIo: "custom_io.yaml",
  partition: "mdp.json",
  binaries: "qpc",
};

interface Layout {
  readonly paths: CompilePaths;
  readonly folder: string;
}

/** Where things are, from the folder that the compiler runs in. */
function layout(settings: CompileSettings, profile: SdkProfile, params: Json): Layout {
  const { name } = settings;
  const { folder, binaries } = artefactName(settings, params);
  const customIo = profile.customIoFile[settings.mxint8 ? "mxint8" : "fp16"];
  const partition = PROFILES[settings.profile].partitionFile.replace("{n}", String(settings.devices));
  switch (profile.naming) {
    case "recipe":
      return {
        folder,
        paths: {
          model: `${name}-kv/generatedModels/${name}-kv.onnx`,
          specializations: "specializations.json",
          customIo: `${name}-kv/${customIo}`,
          partition,
          binaries,
        },
      };
    case "options":
      return {
        folder,
        paths: {
          model: `onnx/${name}_kv_clipped_fp16.onnx`,
          specializations: `${folder}/specializations.json`,
          customIo: `onnx/${customIo}`,
          partition: `${folder}/${partition}`,
          binaries,
        },
      };
    case "hash":
      return {
        folder,
        paths: {
          model: `${name}.onnx`,
          specializations: `${folder}/specializations.json`,
          customIo: `${folder}/${customIo}`,
          partition: `${folder}/${partition}`,
          binaries,
        },
      };
  }
}
