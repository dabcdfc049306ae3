import { goldenDir } from "@llm/fixtures";
import { read } from "@llm/tensor";
import { expect, it } from "vitest";
import { openTensorFile } from "./open-tensors.ts";

it("opens tensors that have no config", async () => {
  const tensors = await openTensorFile(`${goldenDir("gpt2")}/golden.safetensors`);
  const { name, shape } = tensors.get("p0.gen_top8_ids")!;
  expect(shape).toEqual([24, 8]);
  expect((await read({ op: "tensor", name, shape }, tensors, "i32")).data.length).toBe(192);
  await tensors.close();
});

it("refuses a file of another kind in one line", async () => {
  await expect(openTensorFile(`${goldenDir("gpt2")}/config.json`)).rejects.toThrow(
    /config\.json: is neither a safetensors nor a PyTorch file$/,
  );
});
