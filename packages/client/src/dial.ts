import type {
  Awaitable,
  ErrorCode,
  SocketError,
  SocketOptions,
  TokenContext,
  WebSocketConstructor,
  WebSocketLike,
} from './types';
import { resolveUrl } from './url';

/**
 * The subprotocol of Anywire's raw channels. Once a server has selected it, an empty text frame
 * is a heartbeat in either direction and never a message.
 */
export const RAW_PROTOCOL = 'anywire.raw.v1';
const bearerPrefix = 'anywire.bearer.';
/** RFC 9110 5.6.2 "token": all that a subprotocol may consist of. base64url and dots are inside. */
const tokenPattern = /^[!#$%&'*+\-.^_`|~\w]+$/;

export function socketError(code: ErrorCode, message: string, cause?: unknown): SocketError {
  return Object.freeze(cause === undefined ? { code, message } : { code, message, cause });
}

export interface Address {
  readonly url: string | URL;
  readonly token: string | undefined;
}

/** A failure to get so far as a WebSocket. `fatal`: the same would happen again. */
export class DialError extends Error {
  readonly error: SocketError;
  readonly fatal: boolean;

  constructor(error: SocketError, fatal: boolean) {
    super(error.message);
    this.error = error;
    this.fatal = fatal;
  }
}

/** Finds out where to connect and as whom; at once when nothing has to be asked, else later. */
export function findAddress(options: SocketOptions, context: TokenContext): Awaitable<Address> {
  const { url, token } = options;
  if (typeof url !== 'function' && typeof token !== 'function') return { url, token };
  return Promise.all([
    ask('url', () => (typeof url === 'function' ? url() : url)),
    ask('token', () => (typeof token === 'function' ? token(context) : token)),
  ]).then(([url, token]) => ({ url, token }));
}

async function ask<T>(code: 'url' | 'token', question: () => Awaitable<T>): Promise<T> {
  try {
    return await question();
  } catch (cause) {
    throw new DialError(
      socketError(code, `The ${code} function failed: ${text(cause)}`, cause),
      false,
    );
  }
}

/** Makes the WebSocket, or throws a DialError that says in words why there is none. */
export function dial(options: SocketOptions, address: Address): WebSocketLike {
  const WebSocket =
    options.WebSocket ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;
  if (!WebSocket) throw fatal('unsupported', 'There is no WebSocket here; pass one as an option');
  let url: string;
  try {
    url = resolveUrl(address.url);
  } catch (cause) {
    throw fatal('bad-url', `${JSON.stringify(address.url)} is no usable URL`, cause);
  }
  const protocols = offer(options, address.token);
  try {
    return protocols.length > 0 ? new WebSocket(url, protocols) : new WebSocket(url);
  } catch (cause) {
    const code =
      (cause as { name?: string } | null)?.name === 'SecurityError' ? 'blocked' : 'bad-url';
    throw fatal(code, `The platform refused ${url}: ${text(cause)}`, cause);
  }
}

/**
 * Which subprotocols to ask for. Nothing is asked for on behalf of Anywire unless the user did
 * something that needs it, for browsers end a handshake in which the server selects none of those
 * asked for (WHATWG WebSockets), and npm `ws` selects the first blindly.
 */
function offer(options: SocketOptions, token: string | undefined): string[] {
  const { protocols = [], heartbeat } = options;
  const list = typeof protocols === 'string' ? [protocols] : [...protocols];
  const ownHeartbeat = heartbeat === true || (heartbeat && heartbeat.probe === undefined);
  if (ownHeartbeat || token !== undefined) list.push(RAW_PROTOCOL);
  if (token !== undefined) {
    if (!tokenPattern.test(token)) {
      throw fatal(
        'token',
        'A token may hold letters, digits and - . _ ~ only (base64url, not base64)',
      );
    }
    list.push(bearerPrefix + token);
  }
  return [...new Set(list)];
}

function fatal(code: ErrorCode, message: string, cause?: unknown): DialError {
  return new DialError(socketError(code, message, cause), true);
}

function text(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
