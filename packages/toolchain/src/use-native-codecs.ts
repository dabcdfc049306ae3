import { nativeCodecs } from "@llm/runtime-native/codecs";
import { useFastCodecs } from "@llm/tensor";

/** Weights are converted and encoded by the addon's vector code from here on, where there is an addon; it is loaded when first needed. */
export function useNativeCodecs(): void {
  useFastCodecs(nativeCodecs);
}
