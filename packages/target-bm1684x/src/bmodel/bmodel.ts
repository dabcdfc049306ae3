import type { AddressMode, BmrtDType } from "@llm/runtime-native/bmrt";

/** What a .bmodel holds, without its weights and instructions. */
export interface Bmodel {
  readonly bytes: number;
  /** Of the format and of the compiler: "2.2+v1.30.2-20260831". */
  readonly version: string;
  readonly made: string;
  readonly chip: string;
  /** How many chips it was compiled for. */
  readonly devices: number;
  readonly nets: readonly BmodelNet[];
  /** The chip's own program, which every file brings along unless it was taken out. */
  readonly kernel?: { readonly name: string; readonly bytes: number };
  readonly memory: DeviceMemory;
}

/** What a device holds of a model before anybody's cache, in bytes. */
export interface DeviceMemory {
  readonly total: number;
  readonly weights: number;
  readonly instructions: number;
  /** What nets compute with, one after the other in the same place. */
  readonly runtime: number;
  /** Inputs and outputs that lie apart from that, among them the first slot's cache. */
  readonly io: number;
}

export interface BmodelNet {
  readonly name: string;
  readonly addressMode: AddressMode;
  /** One of several nets that several chips run as one. */
  readonly cascade?: { readonly device: number; readonly step: number; readonly main: string };
  readonly stages: readonly BmodelStage[];
}

export interface BmodelStage {
  readonly dynamic: boolean;
  readonly inputs: readonly BmodelTensor[];
  readonly outputs: readonly BmodelTensor[];
  readonly cores: number;
  readonly weights?: BmodelWeights;
  readonly commands: CommandCounts;
  /** What it computes with, and what its inputs and outputs take where they lie apart. */
  readonly runtimeBytes: number;
  readonly ioBytes: number;
}

export interface BmodelWeights {
  readonly bytes: number;
  /** Where they are in the file: nets that share weights say the same place. */
  readonly start: number;
  readonly sha256: string;
  /** By operation, as far as the compiler says. */
  readonly parts: readonly { readonly name: string; readonly offset: number; readonly bytes: number }[];
}

export interface CommandCounts {
  /** Of the arithmetic unit and of the one that moves data. */
  readonly compute: number;
  readonly move: number;
  readonly bytes: number;
}

export interface BmodelTensor {
  readonly name: string;
  readonly dtype: BmrtDType;
  readonly shape: readonly number[];
  readonly bytes: number;
  readonly scale: number;
}
