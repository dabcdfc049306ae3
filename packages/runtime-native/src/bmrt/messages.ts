import { NativeError, type NativeErrorCode } from "../error.ts";
import type { Bmrt, BmrtOptions } from "./device.ts";

/** What can be asked of the process that has the libraries. */
export type Method = "open" | Exclude<keyof Bmrt, "devices" | "newer">;

export interface Question {
  readonly id: number;
  readonly method: Method;
  readonly args: readonly unknown[];
}

export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: ErrorMessage };

/** What `open` is answered. */
export type Opened = Pick<Bmrt, "devices" | "newer">;

/** What `open` is asked with. */
export type OpenArgs = Pick<BmrtOptions, "libraries" | "devices">;

/** An error of this package as plain data: a class doesn't travel. */
export interface ErrorMessage {
  readonly code: NativeErrorCode;
  readonly message: string;
  readonly file?: string | undefined;
  readonly call?: string | undefined;
  readonly status?: number | undefined;
}

export function messageOf(error: unknown): ErrorMessage {
  if (!NativeError.isInstance(error)) return { code: "device-failed", message: String(error) };
  const { code, file, call, status } = error;
  const message = file === undefined ? error.message : error.message.slice(file.length + 2);
  return { code, message, file, call, status };
}

export function errorOf({ code, message, file, call, status }: ErrorMessage): NativeError {
  return new NativeError(code, message, {
    ...(file === undefined ? {} : { file }),
    ...(call === undefined ? {} : { call }),
    ...(status === undefined ? {} : { status }),
  });
}
