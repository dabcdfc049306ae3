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
  const offline = options.offline ?? isTrue(env.HF_HUB_OFFLINE);
  return {
    endpoint: checkEndpoint(options.endpoint ?? set(env.HF_ENDPOINT) ?? "https://huggingface.co"),
    cacheDir: options.cacheDir ?? hubCacheDir(env),
    token: options.token ?? set(env.HF_TOKEN) ?? set(env.HUGGING_FACE_HUB_TOKEN) ?? (await tokenFile(env)),
    offline,
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
  };
}

/** Where downloads are unless an option says otherwise. */
export function hubCacheDir(env: Env = process.env): string {
  return place(env, "HF_HUB_CACHE") ?? place(env, "HUGGINGFACE_HUB_CACHE") ?? join(hubHome(env), "hub");
}

/** The folder that the hub's programs keep their things in. */
function hubHome(env: Env): string {
  const cache = place(env, "XDG_CACHE_HOME") ?? join(homeOf(env), ".cache");
  return place(env, "HF_HOME") ?? join(cache, "huggingface");
}

/** The file that a login writes its token to. */
export function tokenPath(env: Env = process.env): string {
  return place(env, "HF_TOKEN_PATH") ?? join(hubHome(env), "token");
}

function homeOf(env: Env): string {
  return set(env.HOME) ?? homedir();
}

/** A path that a variable names; ~ and other variables in it mean what they mean to Python's programs. */
function place(env: Env, name: string): string | undefined {
  const path = set(env[name]);
  const known = path?.replace(/\$(?:\{(\w+)\}|(\w+))/g, (whole, braced, bare) => set(env[braced ?? bare]) ?? whole);
  return known === "~" || known?.startsWith("~/") ? join(homeOf(env), known.slice(1)) : known;
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
