import type { ServerOptions } from "node:http";

export interface TlsFiles {
  /** Certificate and key, as PEM. */
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

export interface ConnectionLimits {
  /** From the first byte of a request to the end of its headers. */
  readonly headersMs?: number;
  /** From its first byte to the end of its body. */
  readonly requestMs?: number;
}

/** Whoever needs longer than this for a few lines does so on purpose. */
const HEADERS_MS = 10_000;

/** Sixteen megabytes over a poor line. */
const REQUEST_MS = 120_000;

/** Longer than proxies keep theirs, so that it is never they who ask on a connection that closes. */
const KEEP_ALIVE_MS = 75_000;

/** Tokens, cookies and traces fit many times over. */
const HEADER_BYTES = 16_384;
const MAX_HEADERS = 200;

/** Past this many clients the machine's files run out before its patience. */
const MAX_CONNECTIONS = 4096;

/** What connections are held to, in the form that the HTTP layer takes. */
export function connectionOptions(limits: ConnectionLimits = {}, tls?: TlsFiles): object {
  const { headersMs = HEADERS_MS, requestMs = REQUEST_MS } = limits;
  const node: ServerOptions = {
    maxHeaderSize: HEADER_BYTES,
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // How late the two above may be noticed.
    connectionsCheckingInterval: Math.max(50, Math.min(1000, headersMs / 4)),
  };
  const timeouts = { requestTimeout: requestMs, keepAliveTimeout: KEEP_ALIVE_MS };
  return tls ? { ...timeouts, https: { ...node, ...tls } } : { ...timeouts, http: node };
}

/** The rest, which a server takes only once it is made. */
export function limitConnections(server: { maxConnections: number; maxHeadersCount: number | null }): void {
  server.maxConnections = MAX_CONNECTIONS;
  server.maxHeadersCount = MAX_HEADERS;
}
