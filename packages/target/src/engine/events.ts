/** What happens while an artefact is built, for progress displays and logs. */
export type BuildEvent =
  | { readonly kind: "planned"; readonly units: number; readonly cached: number }
  | { readonly kind: "started"; readonly unit: string; readonly attempt: number }
  | {
      readonly kind: "progress";
      readonly unit: string;
      readonly done: number;
      readonly total: number;
      readonly note?: string;
    }
  | { readonly kind: "retrying"; readonly unit: string; readonly attempt: number; readonly reason: string }
  | {
      readonly kind: "finished";
      readonly unit: string;
      readonly cached: boolean;
      readonly seconds: number;
      readonly peakRssBytes: number;
      readonly peakDiskBytes: number;
    }
  /** The cache is on another file system than the artefact, so that bytes were copied. */
  | { readonly kind: "copied"; readonly file: string; readonly bytes: number }
  | { readonly kind: "assembled"; readonly folder: string };
