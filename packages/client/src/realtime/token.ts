import { AnywireError } from './error';
import type { ClientOptions, TokenRequest } from './types';

/**
 * Keeps the token between connections, so that a storm of reconnects is not one of token requests
 * as well, until the server says that it wants another.
 */
export class TokenKeeper {
  readonly #source: ClientOptions['token'];
  #token: string | undefined;
  #denied: string | undefined;

  constructor(source: ClientOptions['token']) {
    this.#source = source;
  }

  /** Whether there may be another one. */
  get renewable(): boolean {
    return typeof this.#source === 'function';
  }

  /** The server wants another. */
  deny(): void {
    this.#denied = this.#token;
    this.#token = undefined;
  }

  /** The token to connect with; undefined: connect without. Rejects with an AnywireError. */
  async get(signal: AbortSignal): Promise<string | undefined> {
    if (this.#token === undefined) await this.renew(signal);
    return this.#token;
  }

  /** Asks for a new one. An error that says `retry: false` means that there is none to be had. */
  async renew(signal: AbortSignal, refresh = false): Promise<string | undefined> {
    const source = this.#source;
    if (typeof source !== 'function') {
      this.#token = source;
      return source;
    }
    const denied = this.#denied;
    const reason: TokenRequest['reason'] =
      denied === undefined ? (refresh ? 'refresh' : 'connect') : 'denied';
    let answer: Awaited<ReturnType<typeof source>>;
    try {
      answer = await source({ reason, signal });
    } catch (cause) {
      throw new AnywireError('token', `The token function failed: ${cause}`, {
        retry: true,
        cause,
      });
    }
    if (signal.aborted) return undefined;
    const token = typeof answer === 'string' ? answer : answer?.token;
    if (!token) throw new AnywireError('token', 'There is no token to be had');
    if (token === denied) {
      throw new AnywireError('unauthorized', 'The token function gave the token just denied');
    }
    this.#token = token;
    return token;
  }

  /** The server took the present one. */
  accepted(): void {
    this.#denied = undefined;
  }
}
