import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { CheckpointError } from "../error.ts";

export type Env = Readonly<Record<string, string | undefined>>;
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Where the hub is, where its cache is, and who is asking. */
export interface HubOptions {
  /** Default: `HF_ENDPOINT`, else https://huggingface.co. */
  readonly endpoint?: string;
  /** Default: `HF_HUB_CACHE`, else `hub` in `HF_HOME`, else ~/.cache/huggingface/hub: the cache that Python programs share. */
  readonly cacheDir?: string;
  /** Default: `HF_TOKEN`, else the file that a login left. */
  readonly token?: string;
  /** True: no request at all, only what the cache has. Default: `HF_HUB_OFFLINE`. */
  readonly offline?: boolean;
  readonly fetch?: Fetch;
  readonly env?: Env;
}

export interface HubSettings {
  readonly endpoint: string; // without a slash at the end
  readonly cacheDir: string;
  readonly token: string | undefined;
  readonly offline: boolean;
  readonly fetch: Fetch;
}

/** Options, then environment, then defaults; the same names and places as Python's huggingface_hub. */
export async function hubSettings(options: HubOptions = {}): Promise<HubSettings> {
  const env = options.env ?? process.env;
  const home = hubHome(env);
  const offline = options.offline ?? isTrue(env.HF_HUB_OFFLINE);
  return {
    endpoint: checkEndpoint(options.endpoint ?? set(env.HF_ENDPOINT) ?? "https://huggingface.co"),
    cacheDir: options.cacheDir ?? set(env.HF_HUB_CACHE) ?? set(env.HUGGINGFACE_HUB_CACHE) ?? join(home, "hub"),
    token: options.token ?? set(env.HF_TOKEN) ?? set(env.HUGGING_FACE_HUB_TOKEN) ?? (await tokenFile(env)),
    offline,
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
  };
}

/** The folder that the hub's programs keep their things in. */
function hubHome(env: Env): string {
  const cache = set(env.XDG_CACHE_HOME) ?? join(homedir(), ".cache");
  return expand(set(env.HF_HOME) ?? join(cache, "huggingface"));
}

/** The file that a login writes its token to. */
export function tokenPath(env: Env = process.env): string {
  return expand(set(env.HF_TOKEN_PATH) ?? join(hubHome(env), "token"));
}

async function tokenFile(env: Env): Promise<string | undefined> {
  if (isTrue(env.HF_HUB_DISABLE_IMPLICIT_TOKEN)) return undefined;
  return set((await readFile(tokenPath(env), "utf8").catch(() => "")).trim());
}

function checkEndpoint(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "https:" && url?.protocol !== "http:")
    throw new CheckpointError(
      "hub-failed",
      `the hub's address ${JSON.stringify(text)} is not an http(s) address; see HF_ENDPOINT`,
    );
  return text.replace(/\/+$/, "");
}

function isTrue(value: string | undefined): boolean {
  return ["1", "on", "yes", "true"].includes((value ?? "").toLowerCase());
}

function set(value: string | undefined): string | undefined {
  return value === undefined || value === "" ? undefined : value;
}

function expand(path: string): string {
  return path === "~" || path.startsWith("~/") ? join(homedir(), path.slice(1)) : path;
}
