import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { ApiError } from "@llm/protocol";

/** What the parser of HTTP stumbles over before there is a request. */
const KNOWN: Readonly<Record<string, readonly [status: number, message: string]>> = {
  HPE_HEADER_OVERFLOW: [431, "The request's headers are too large"],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "The request took too long to arrive"],
};

/** Answers a connection on which nothing came that could be read, in the shape that all errors have, and ends it. */
export function onClientError(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, message] = KNOWN[error.code ?? ""] ?? [400, "This is no HTTP request"];
  const problem = new ApiError(message, { status, type: "invalid_request_error", code: null, param: null });
  const body = JSON.stringify(problem.toBody());
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    "content-type: application/json; charset=utf-8",
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  // Who sends nonsense may go on sending it: nothing more is read.
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
}
