import { nativeCodecs } from "@llm/runtime-native/codecs";
import { fastCodecs, useFastCodecs } from "@llm/tensor";
import { afterEach, expect, test } from "vitest";
import { useNativeCodecs } from "./use-native-codecs.ts";

afterEach(() => useFastCodecs(undefined));

test("what is large goes to the addon where there is one", () => {
  expect(fastCodecs(2 ** 20)).toBeUndefined();
  useNativeCodecs();
  expect(fastCodecs(2 ** 20)).toBe(nativeCodecs());
  expect(fastCodecs(1)).toBeUndefined();
});
