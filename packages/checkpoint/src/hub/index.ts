export { PATIENCE, type Patience } from "./http.ts";
export { removeToken, storeToken } from "./login.ts";
export { type Pulled, type PulledFile, type PullOptions, type PullProgress, pull } from "./pull.ts";
export type { Selection } from "./select.ts";
export {
  type Env,
  type Fetch,
  type HubOptions,
  type HubSettings,
  hubCacheDir,
  hubSettings,
  tokenPath,
} from "./settings.ts";
