import { expect, it } from "vitest";
import { withoutPlaces } from "./without-places.ts";

const places = ["mine", "/data/our models/mine/"];

it.each([
  ["/data/our models/mine/model.safetensors: it is cut off", "mine/model.safetensors: it is cut off"],
  ["no weights in /data/our models/mine", "no weights in mine"],
  ["/home/ann/.cache/hub/x/config.json: not JSON", "config.json: not JSON"],
  ["both '/srv/a/one.json' and (/srv/b/two.json)", "both 'one.json' and (two.json)"],
  ["bigcode/starcoder: there is no such repository", "bigcode/starcoder: there is no such repository"],
  ["https://hub.example/api/models/a/b answered 500", "https://hub.example/api/models/a/b answered 500"],
  ["give a token, by --hf-token/HF_TOKEN", "give a token, by --hf-token/HF_TOKEN"],
])("says what is wrong, and not where it lies: %s", (line, told) => {
  expect(withoutPlaces(line, places, "mine")).toBe(told);
});
