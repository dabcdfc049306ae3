/**
 * SOPHGO devices with models loaded, behind the vendor's libraries. Everything that goes in or out is plain data, because the
 * libraries end the process they are in when something is wrong, and so have one of their own.
 */
export interface Bmrt {
  /** How many devices were opened. Each is meant by its place in that list. */
  readonly devices: number;
  /** Whether the library is of 2024 or later, and says how nets keep their inputs and outputs. */
  readonly newer: boolean;
  /** Adds a bmodel's nets to those that the device has; gives the new ones. A net's number is its place among all of them. */
  load(device: number, file: string): Promise<readonly BmrtNet[]>;
  /** Device memory of undefined content; gives the buffer's number on its device. */
  allocate(device: number, bytes: number): Promise<number>;
  free(device: number, buffer: number): Promise<void>;
  /** Does commands in order, waits for the devices, and gives what was read. What comes after a failure is not done. */
  run(commands: readonly BmrtCommand[]): Promise<readonly Uint8Array[]>;
  /** Frees everything on the devices. Closing twice is fine. */
  close(): Promise<void>;
}

/** A place in a buffer: its number, and how many bytes into it. */
export type BmrtPlace = readonly [buffer: number, offset: number];

export type BmrtCommand =
  | { readonly do: "write"; readonly device: number; readonly to: BmrtPlace; readonly data: Uint8Array }
  | { readonly do: "read"; readonly device: number; readonly from: BmrtPlace; readonly bytes: number }
  | {
      readonly do: "copy";
      readonly device: number;
      readonly to: BmrtPlace;
      readonly fromDevice: number;
      readonly from: BmrtPlace;
      readonly bytes: number;
    }
  | {
      readonly do: "launch";
      readonly device: number;
      readonly net: number;
      readonly stage: number;
      readonly inputs: readonly BmrtPlace[];
      readonly outputs: readonly BmrtPlace[];
    }
  /** What several devices made is added up by the host, in float32 and in this order; each of `to` is given the sum. */
  | {
      readonly do: "sum";
      readonly dtype: BmrtDType;
      readonly bytes: number;
      readonly terms: readonly BmrtDevicePlace[];
      readonly to: readonly BmrtDevicePlace[];
    };

/** A place on one of several devices. */
export interface BmrtDevicePlace {
  readonly device: number;
  readonly at: BmrtPlace;
}

export type BmrtDType = "f32" | "f16" | "i8" | "u8" | "i16" | "u16" | "i32" | "u32" | "bf16" | "i4" | "u4";

/** The vendor's numbers of element types, in their order. */
export const BMRT_DTYPES: readonly BmrtDType[] = [
  "f32",
  "f16",
  "i8",
  "u8",
  "i16",
  "u16",
  "i32",
  "u32",
  "bf16",
  "i4",
  "u4",
];

/** How a net's inputs and outputs lie: beside what it computes with, apart from it, or wherever the caller says. */
export type AddressMode = "basic" | "io-alone" | "io-tag" | "io-tag-fuse" | "io-reloc";
export const ADDRESS_MODES: readonly AddressMode[] = ["basic", "io-alone", "io-tag", "io-tag-fuse", "io-reloc"];

export interface BmrtNet {
  readonly name: string;
  readonly dynamic: boolean;
  /** Absent where the library is too old to say. */
  readonly addressMode?: AddressMode;
  readonly inputs: readonly BmrtPort[];
  readonly outputs: readonly BmrtPort[];
  /** Shapes that it was compiled for. */
  readonly stages: readonly BmrtStage[];
}

export interface BmrtPort {
  readonly name: string;
  readonly dtype: BmrtDType;
}

export interface BmrtStage {
  readonly inputs: readonly BmrtStagePort[];
  readonly outputs: readonly BmrtStagePort[];
}

export interface BmrtStagePort {
  readonly shape: readonly number[];
  readonly bytes: number;
  /** The memory that the net was compiled to use: a launch with any other makes the runtime copy. */
  readonly buffer?: number;
}

/** How devices are opened. */
export interface BmrtOptions {
  /** Numbers of the devices; the first unless said. */
  readonly devices?: readonly number[];
  /** The vendor's libraries: see `findBmrt`. */
  readonly libraries: BmrtLibraries;
  /**
   * Whether the libraries get a process of their own; they do unless said. Without one, an assertion of theirs ends the
   * program, and what they print is on its output.
   */
  readonly isolated?: boolean;
  /** What the libraries print, line by line. */
  onOutput?(line: string): void;
}

/** Files of the vendor's. */
export interface BmrtLibraries {
  readonly bmlib: string;
  readonly bmrt: string;
  /** The simulated chip; only the simulator has one. */
  readonly firmware?: string;
}
