import { CheckpointError } from "../error.ts";
import type { Env } from "./settings.ts";

/** Whether `NO_PROXY` names a host: itself, a domain that it is in, all (`*`), each with a port or without. */
export function goesDirectly(list: string, { hostname, port, protocol }: URL): boolean {
  const actual = port || (protocol === "https:" ? "443" : "80");
  return list.split(/[\s,]+/).some((entry) => {
    const [, name = "", only] = /^(.*?)(?::(\d+))?$/.exec(entry.toLowerCase())!;
    if (name === "" || (only !== undefined && only !== actual)) return false;
    const domain = name.replace(/^\*?\./, "");
    return name === "*" || hostname === domain || hostname.endsWith(`.${domain}`);
  });
}

let users = 0;
let restore = (): void => {};

/**
 * Runs `work` with `fetch` going through the proxy that `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` name. Node has one setting for all
 * of a process, so it is set while somebody needs it and put back afterwards.
 */
export async function withProxy<T>(env: Env, endpoint: string, work: () => Promise<T>): Promise<T> {
  const wanted = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"].some((name) => env[name]);
  if (!wanted || env.NODE_USE_ENV_PROXY === "1") return work();
  const list = env.no_proxy ?? env.NO_PROXY ?? "";
  const direct = goesDirectly(list, new URL(endpoint));
  const http = await import("node:http"); // 15 MB that only a proxy needs
  if (!("setGlobalProxyFromEnv" in http)) {
    if (direct) return work();
    throw new CheckpointError(
      "hub-failed",
      "a proxy is set, which this version of Node only uses with NODE_USE_ENV_PROXY=1 in its environment",
    );
  }
  // Where the hub sends for files may be reached by the proxy alone. Node's list has no domains without a dot in front.
  const hosts = direct ? `${list},${new URL(endpoint).hostname}` : list;
  const proxies = { ...env, no_proxy: hosts, NO_PROXY: hosts } as Record<string, string>;
  if (users++ === 0) restore = http.setGlobalProxyFromEnv(proxies);
  try {
    return await work();
  } finally {
    if (--users === 0) restore();
  }
}
