import { AnywireError, toError } from './error';
import type { ClientOptions, TokenRequest } from './types';

/**
 * Keeps the token between connections, so that a storm of reconnects is not one of token requests
 * as well, until the server says that it wants another.
 */
export class TokenKeeper {
  /** The newest there was; not to be used if it is the one denied. */
  token: string | undefined;
  readonly #source: ClientOptions['token'];
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
    this.#denied = this.token;
  }

  /** The server took the present one. */
  accepted(): void {
    this.#denied = undefined;
  }

  /** Sees to it that there is one to connect with, if there is one at all. */
  async ready(signal: AbortSignal): Promise<unknown> {
    return this.token === this.#denied && this.renew(signal, 'connect');
  }

  /**
   * Asks for a new one; undefined when that was aborted. Rejects with an AnywireError, which may be
   * one that the function threw; `retry: false` means that there is none to be had.
   */
  async renew(signal: AbortSignal, reason: TokenRequest['reason']): Promise<string | undefined> {
    const source = this.#source;
    const denied = this.#denied;
    if (typeof source !== 'function') {
      this.token = source;
      return source;
    }
    let answer: Awaited<ReturnType<typeof source>>;
    try {
      answer = await source({ reason: denied === undefined ? reason : 'denied', signal });
    } catch (cause) {
      throw toError(cause, 'token', { retry: true });
    }
    if (signal.aborted) return undefined;
    const token = typeof answer === 'string' ? answer : answer?.token;
    if (!token) throw new AnywireError('token', 'signed out');
    if (token === denied) throw new AnywireError('unauthorized', 'denied before');
    this.token = token;
    return token;
  }
}
