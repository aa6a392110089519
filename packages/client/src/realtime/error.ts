import type { WireMessage } from './wire';

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
 * - `refused`      the server does not want this client (close codes 4400 to 4449)
 * - `network`      the server could not be reached, or the link broke
 */
export class AnywireError extends Error {
  override readonly name = 'AnywireError';
  readonly code: string;
  /** The same may succeed later, unchanged. */
  readonly retry: boolean;
  readonly channel: string | undefined;
  /** The command had gone out before it failed, so it may have been carried out. */
  readonly uncertain: boolean;

  constructor(
    code: string,
    message: string,
    more: { retry?: boolean; channel?: string; uncertain?: boolean; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.retry = more.retry ?? false;
    this.channel = more.channel;
    this.uncertain = more.uncertain ?? false;
  }
}

/** Of an `error` reply or an `unsubscribed` push. */
export function fromWire(reply: WireMessage, channel?: string): AnywireError {
  const name = channel ?? reply.channel;
  return new AnywireError(String(reply.code), String(reply.message), {
    retry: reply.retry === true,
    ...(typeof name === 'string' && { channel: name }),
  });
}
