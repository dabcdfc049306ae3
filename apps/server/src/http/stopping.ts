import { type ApiError, unavailable } from "@llm/protocol";

/** Seconds after which another server may stand in this one's place. */
const SOON = 2;

/** What is told to whoever comes, or still waits, while the server stops. */
export const stopping = (): ApiError => unavailable("The server is stopping", SOON);
