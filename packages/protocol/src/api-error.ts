/** What went wrong, in OpenAI's words for the kind and with the status that says so over HTTP. */
export interface ApiErrorFields {
  readonly status: number;
  readonly type: string;
  readonly code: string | null;
  /** The field of the request that is meant. */
  readonly param: string | null;
}

const marker = Symbol.for("@llm/protocol.ApiError");

/** An answer that is an error. The message is for the caller: one line, what is wrong and what to do. */
export class ApiError extends Error {
  readonly status: number;
  readonly type: string;
  readonly code: string | null;
  readonly param: string | null;
  /** Seconds after which it may be tried again. */
  readonly retryAfter: number | undefined;
  readonly [marker] = true;

  constructor(
    message: string,
    fields: ApiErrorFields,
    options: { readonly cause?: unknown; readonly retryAfter?: number } = {},
  ) {
    super(message, options);
    this.name = "ApiError";
    this.status = fields.status;
    this.type = fields.type;
    this.code = fields.code;
    this.param = fields.param;
    this.retryAfter = options.retryAfter;
  }

  static isInstance(error: unknown): error is ApiError {
    return typeof error === "object" && error !== null && marker in error;
  }

  /** OpenAI's body: all four keys, always. */
  toBody(): {
    readonly error: {
      readonly message: string;
      readonly type: string;
      readonly param: string | null;
      readonly code: string | null;
    };
  } {
    return { error: { message: this.message, type: this.type, param: this.param, code: this.code } };
  }
}

const REQUEST = "invalid_request_error";

/** The request asks for something that can't be. */
export const invalid = (param: string | null, message: string, code: string | null = null): ApiError =>
  new ApiError(message, { status: 400, type: REQUEST, code, param });

/** A field that exists elsewhere and isn't offered here. */
export const unsupported = (param: string, why = "is not supported"): ApiError =>
  invalid(param, `'${param}' ${why}`, "unsupported_parameter");

export const modelNotFound = (model: string, known: readonly string[]): ApiError =>
  new ApiError(`The model '${model}' does not exist; there ${known.length === 1 ? "is" : "are"} ${known.join(", ")}`, {
    status: 404,
    type: REQUEST,
    code: "model_not_found",
    param: "model",
  });

/**
 * @param limit the longest prompt: of the context, what leaves room for an answer where one follows
 * @param how `remedy` is a field that would have it cut off, where requests have one; `isLeast` where nobody has counted to the end
 */
export function contextLengthExceeded(
  param: string | null,
  tokens: number,
  limit: number,
  { remedy, isLeast = false }: { readonly remedy?: string; readonly isLeast?: boolean } = {},
): ApiError {
  const [least, or] = [isLeast ? "at least " : "", remedy === undefined ? "" : `, or ask for "${remedy}"`];
  return invalid(
    param,
    `This model's maximum context length is ${limit} tokens for the prompt alone, and the request has ${least}${tokens}. Shorten it by ${least}${tokens - limit}${or}.`,
    "context_length_exceeded",
  );
}

export const unauthorized = (): ApiError =>
  new ApiError("No such API key. Send one as 'Authorization: Bearer KEY'.", {
    status: 401,
    type: "authentication_error",
    code: "invalid_api_key",
    param: null,
  });

export const tooMany = (message: string, retryAfter: number): ApiError =>
  new ApiError(
    message,
    { status: 429, type: "rate_limit_error", code: "rate_limit_exceeded", param: null },
    { retryAfter },
  );

export const unavailable = (message: string, retryAfter: number): ApiError =>
  new ApiError(message, { status: 503, type: "server_error", code: "unavailable", param: null }, { retryAfter });

/** @param why one line that a caller may read */
export const modelUnavailable = (model: string, why: string, retryAfter: number, cause?: unknown): ApiError =>
  new ApiError(
    `The model '${model}' can't be opened: ${why}`,
    { status: 503, type: "server_error", code: "model_unavailable", param: "model" },
    { retryAfter, cause },
  );

/** Nothing of the error itself goes out: the log has it under the request's id. */
export const internal = (requestId: string, cause: unknown): ApiError =>
  new ApiError(
    `The server had an error; its log has it under ${requestId}`,
    { status: 500, type: "server_error", code: null, param: null },
    { cause },
  );
