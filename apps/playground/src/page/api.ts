const KEY = "llm-api-key";

export const apiKey = {
  get: (): string => sessionStorage.getItem(KEY) ?? "",
  set: (key: string): void => (key === "" ? sessionStorage.removeItem(KEY) : sessionStorage.setItem(KEY, key)),
};

/** What the server says is wrong, in its own words. */
export class ServerProblem extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

async function call(path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  const key = apiKey.get();
  const response = await fetch(path, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(key === "" ? {} : { authorization: `Bearer ${key}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal ? { signal } : {}),
  });
  if (response.ok) return response;
  throw new ServerProblem(response.status, messageOf(await response.text()) ?? response.statusText);
}

function messageOf(body: string): string | undefined {
  try {
    return (JSON.parse(body) as { error?: { message?: string } }).error?.message;
  } catch {
    return undefined;
  }
}

export async function getJson<T>(path: string): Promise<T> {
  return (await call(path)).json() as Promise<T>;
}

export async function getText(path: string): Promise<string> {
  return (await call(path)).text();
}

/** The events of a streamed answer, as they come. */
export async function* stream<T>(path: string, body: object, signal: AbortSignal): AsyncGenerator<T> {
  // Counts come with every piece, for the speed, and once more at the end with what was in the cache.
  const stream_options = { include_usage: true, continuous_usage_stats: true };
  const response = await call(path, { ...body, stream: true, stream_options }, signal);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    held += value;
    const events = held.split("\n\n");
    held = events.pop()!;
    for (const event of events) {
      const data = event
        .split("\n")
        .find((line) => line.startsWith("data: "))
        ?.slice(6);
      if (data === undefined) continue;
      if (data === "[DONE]") return;
      const { error } = JSON.parse(data) as { readonly error?: { readonly message: string } };
      if (error) throw new ServerProblem(500, error.message);
      yield JSON.parse(data);
    }
  }
}
