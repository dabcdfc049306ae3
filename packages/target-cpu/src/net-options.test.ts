import type { Manifest } from "@llm/target";
import { panelCache } from "@llm/target/engine";
import { expect, test } from "vitest";
import { netOptions } from "./net-options.ts";

const key = "0123456789abcdef".repeat(4);

/** As much of a manifest as says how a net is loaded. */
function manifest(format: string, bytes: number): Manifest {
  return {
    model: { name: "owner/some model" },
    options: { format },
    units: [{ id: "decoder", key }],
    files: [
      { path: "decoder.onnx.data", bytes, sha256: "" },
      { path: "model.safetensors", bytes: 1e9, link: {} },
    ],
  } as unknown as Manifest;
}

test("weights in the kernels' order are kept by what made them, where they are many", () => {
  const { prepack, panels } = netOptions(manifest("int4", 1e9), "decoder");
  expect({ prepack, panels }).toEqual({ prepack: true, panels: `${panelCache()}/owner--some--model-0123456789abcdef` });
  expect(netOptions(manifest("int4", 1e6), "decoder")).toEqual({ prepack: true });
});

test("float32 weights stay where they are", () => {
  expect(netOptions(manifest("fp32", 1e9), "decoder")).toEqual({ prepack: false });
});

test("an artefact is of one format: nothing is loaded by a choice that nobody made", () => {
  expect(() => netOptions(manifest("auto", 1e9), "decoder")).toThrow("--format auto is to be decided");
});
