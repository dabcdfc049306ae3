import { goldenNames } from "@llm/fixtures";

/** Golden models that this device refuses, and what the message is about. */
export const REFUSED: Readonly<Record<string, RegExp>> = {
  deepseek_v2: /mixtures of experts/,
  deepseek_v2_lite: /mixtures of experts/,
  deepseek_v3: /mixtures of experts/,
  deepseek_v3_yarn: /mixtures of experts/,
  granitemoe: /mixtures of experts/,
  mixtral: /mixtures of experts/,
  qwen2_moe: /mixtures of experts/,
  qwen3_moe: /mixtures of experts/,
  phi3_longrope_long: /choose a length up to 4$/,
};

export function takenGoldens(): readonly string[] {
  return goldenNames().filter((name) => !REFUSED[name]);
}
