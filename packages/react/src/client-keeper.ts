import { type Client, type ClientOptions, createClient } from '@anywire/client';
import { tokenSource } from './token';

/** Functions among the options are called as they are at that time, so that they see new props. */
interface Functions {
  readonly url: Extract<ClientOptions['url'], () => unknown>;
  readonly token: Extract<ClientOptions['token'], (...args: never) => unknown>;
}

/**
 * The client of a provider that was given options. It is made in a render, where it does nothing
 * yet; it is closed when the provider has been away for `linger` ms, and opened again when it comes
 * back after that (as a hidden Activity does). A keeper whose `url` or `token` is a function is only
 * ever updated with options of which the same is true.
 */
export class ClientKeeper {
  readonly client: Client;
  #options: ClientOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(options: ClientOptions) {
    this.#options = options;
    const { url, token, fetch } = options;
    const newest = () => this.#options as unknown as Functions;
    this.client = createClient({
      ...options,
      ...(typeof url === 'function' && { url: () => newest().url() }),
      ...(token && {
        token:
          typeof token === 'string'
            ? tokenSource(token, fetch)
            : (request) => newest().token(request),
      }),
    } as ClientOptions);
  }

  update(options: ClientOptions): void {
    this.#options = options;
  }

  attach(): () => void {
    clearTimeout(this.#timer);
    if (this.#closed) void this.client.connect();
    this.#closed = false;
    return () => {
      this.#timer = setTimeout(() => {
        // One that was never used, or was closed by the application, is left as it is.
        this.#closed = !/^(idle|closed)$/.test(this.client.state);
        if (this.#closed) void this.client.close();
      }, this.#options.linger ?? 250);
    };
  }
}
