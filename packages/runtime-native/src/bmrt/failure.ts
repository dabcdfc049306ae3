import { NativeError, type NativeErrorCode } from "../error.ts";
import { firstLine } from "../ort/first-line.ts";

/** What the addon throws: the vendor's function and what it answered are there where one failed. */
interface Thrown {
  readonly call?: string;
  readonly status?: number;
}

/** What was thrown, as an error of this package. */
export function failure(error: unknown, usual: NativeErrorCode, file?: string): NativeError {
  if (NativeError.isInstance(error)) return error;
  const { call, status } = error as Thrown;
  const message = firstLine(error);
  const code = /^there is no device/.test(message) ? "device-missing" : call === undefined ? usual : "device-failed";
  return new NativeError(code === "device-failed" && usual === "model-invalid" ? usual : code, message, {
    cause: error,
    ...(file === undefined ? {} : { file }),
    ...(call === undefined ? {} : { call }),
    ...(status === undefined ? {} : { status }),
  });
}
