import { adviceFor } from './advice';
import type { WireMessage } from './wire';

declare const process: { readonly env: { readonly NODE_ENV?: string } };

/** One thing that a schema finds wrong; the form is that of Standard Schema. */
export interface SchemaIssue {
  /** In words, as the library of the schema says it. */
  readonly message: string;
  /** Where in the value; absent or empty for the value itself. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What is known of an error besides its code and words. */
export interface ErrorDetails {
  readonly retry?: boolean;
  readonly retryAfter?: number | undefined;
  readonly path?: string | undefined;
  readonly reason?: string | undefined;
  readonly channel?: string | undefined;
  readonly uncertain?: boolean;
  readonly cause?: unknown;
  readonly issues?: readonly SchemaIssue[] | undefined;
}

/**
 * What went wrong, with a stable `code`: one of the server's (docs/protocol.md section 2) or of the
 * client's own:
 *
 * - `closed`       the client was closed
 * - `timeout`      no answer in time
 * - `aborted`      the caller's signal said so
 * - `queue_full`   more waits than may, and `overflow` is `reject`
 * - `pushed_out`   newer commands took its place, with `drop-oldest`
 * - `bad_data`     it cannot be encoded
 * - `connection_lost`  the link broke before the answer; the command may have been carried out
 * - `epoch_changed`    the stream began anew between two pages of history
 * - `options_conflict` the channel is subscribed to with other options
 * - `bad_url`, `unsupported`, `no_transport`  there is no way to connect
 * - `token`        no token could be had
 * - `unauthorized` the token was not accepted and there is no other
 * - `refused`      the application does not allow it, or the server does not want this client (close
 *   codes 4400 to 4449)
 * - `network`      the server could not be reached, or the link broke
 * - `schema`       a schema of the contract refuses it; `issues` says what is wrong
 * - `unknown_channel`, `unknown_rpc`  the contract has no such name
 * - `bad_contract` the contract itself is at fault
 * - `no_provider`, `no_channel`, `no_method`  of hooks: what they need is not there
 */
export class AnywireError extends Error {
  override readonly name = 'AnywireError';
  declare readonly code: string;
  /** The same may succeed later, unchanged. */
  readonly retry: boolean = false;
  /** It may succeed after so many milliseconds, where the server says so. */
  declare readonly retryAfter: number | undefined;
  declare readonly channel: string | undefined;
  /** The command had gone out before it failed, so it may have been carried out. */
  readonly uncertain: boolean = false;
  /** With `schema_violation`: JSON Pointer to what the server refuses in the data; `''` is all of it. */
  declare readonly path?: string | undefined;
  /** With `refused`: what the application says to programs, where it does. */
  declare readonly reason?: string | undefined;
  /** With `schema`: what is wrong with the value. */
  declare readonly issues?: readonly SchemaIssue[];
  /** What to do about it, in one sentence; only in development builds. */
  declare readonly advice?: string;

  /** The words may be those of the code: what to do about it is `advice`. */
  constructor(code: string, message: string = code, more: ErrorDetails = {}) {
    super(message, more);
    Object.assign(this, more, { code });
    try {
      if (process.env.NODE_ENV !== 'production') Object.assign(this, { advice: adviceFor(code) });
    } catch {
      // There is no `process`, and no bundler that would have put a word in its place.
    }
  }
}

/** Of an `error` reply or an `unsubscribed` push. */
export function fromWire(
  { code = 'bad_message', message = code, retry, retryAfter, path, reason, channel }: WireMessage,
  about: unknown = channel,
  uncertain = false,
): AnywireError {
  const more = { retry: retry === true, retryAfter, path, reason, channel: about, uncertain };
  return new AnywireError(String(code), String(message), more as ErrorDetails);
}

/** Reads what the server said. What cannot be read is an error like any other. */
export function reading<T>(channel: string | undefined, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw toError(cause, 'bad_message', { channel });
  }
}

/** Whatever was thrown, as an error of ours. */
export function toError(cause: unknown, code: string, more: ErrorDetails): AnywireError {
  return cause instanceof AnywireError
    ? cause
    : new AnywireError(code, String(cause), { ...more, cause });
}
