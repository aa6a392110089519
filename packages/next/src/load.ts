import type { ClientOptions } from '@anywire/client';
import { AnywireError, type Client, createClient, history, type Message } from '@anywire/client';
import { poll } from '@anywire/client/fallbacks';
import type { PreloadedHistory } from '@anywire/react';
import type { Api, StoredMessage } from '@anywire/server';
import { readTarget } from './config/target';

/** Failures of one kind are told once in so many ms, not once for each page. */
const tellEveryMs = 10_000;
const told = new Map<string, number>();

/** Where to ask, for what, and for how long. Plain arguments, so that equal questions are equal. */
export type LoadArguments = [
  address: string | undefined,
  channel: string,
  token: ClientOptions['token'],
  limit: number,
  timeout: number,
  cached: boolean,
];

/**
 * The newest messages of a channel as they are, oldest first. What goes wrong is in `error`; it
 * never rejects. One session, over long-polling, given up at the first sign of trouble: a page
 * waits.
 */
export async function loadNewest(...args: LoadArguments): Promise<PreloadedHistory> {
  const [address, channel, token, limit, timeout, cached] = args;
  let href = '';
  try {
    ({ href } = readTarget(address, 'preloadHistory'));
  } catch (error) {
    return nothing(channel, new AnywireError('bad_url', (error as Error).message));
  }
  const client = createClient({
    url: href,
    agent: '@anywire/next',
    transports: [poll()],
    memory: false,
    connectTimeout: timeout,
    ...(token !== undefined && { token }),
    fetch: cached ? fetchAhead : fetchNow,
  });
  const watch = new Watch(client, timeout);
  try {
    const asked = history(client.channel(channel), { order: 'backward', limit });
    const { messages, epoch, top, oldest, more } = await Promise.race([asked, watch.trouble]);
    return { channel, epoch, messages: [...messages].reverse(), top, oldest, more };
  } catch (error) {
    return nothing(channel, error, href);
  } finally {
    watch.end();
    client.close().catch(() => {});
  }
}

/** The same by the HTTP API: one request. */
export async function loadByApi(
  api: Api,
  channel: string,
  limit: number,
  timeout: number,
): Promise<PreloadedHistory> {
  const signal = AbortSignal.timeout(timeout);
  try {
    const page = await api.history(channel, { limit, signal });
    const { epoch, top, oldest, more } = page;
    const messages = page.messages.map((one) => toMessage(channel, epoch, one)).reverse();
    return { channel, epoch, messages, top, oldest, more };
  } catch (error) {
    const late = signal.aborted && (error as AnywireError).code === 'aborted';
    const cause = late ? new AnywireError('timeout', `No answer within ${timeout} ms`) : error;
    return nothing(channel, cause);
  }
}

/** As a client would have it. */
function toMessage(channel: string, epoch: string, { data, ...rest }: StoredMessage): Message {
  const kind = typeof data === 'string' ? 'text' : data instanceof Uint8Array ? 'binary' : 'json';
  return { channel, epoch, kind, data, ...rest } as Message;
}

/** What is asked here changes with every request. */
const fetchNow: typeof fetch = (input, init) => fetch(input, { ...init, cache: 'no-store' });

/** Without a word on caches: to Next.js `no-store` means that the page cannot be rendered ahead. */
const fetchAhead: typeof fetch = (input, { cache: _, ...init } = {}) => fetch(input, init);

/** Rejects when time is up, or as soon as the client would wait to try again. */
class Watch {
  readonly trouble: Promise<never>;
  readonly #ends: (() => void)[] = [];

  constructor(client: Client, timeout: number) {
    this.trouble = new Promise((_, reject) => {
      const late = setTimeout(() => {
        reject(new AnywireError('timeout', `No answer within ${timeout} ms`, { retry: true }));
      }, timeout);
      this.#ends.push(
        () => clearTimeout(late),
        client.on('state', ({ state, error }) => {
          if (state === 'waiting' || state === 'offline') reject(error);
        }),
      );
    });
    this.trouble.catch(() => {});
  }

  end(): void {
    for (const end of this.#ends) end();
  }
}

/** What a page is rendered with when there is nothing. The details are for the operator only. */
function nothing(channel: string, cause: unknown, href?: string): PreloadedHistory {
  const code = cause instanceof AnywireError ? cause.code : 'network';
  const { message: why = String(cause), advice } = cause as Partial<AnywireError>;
  const from = href === undefined ? '' : ` from ${href}`;
  const todo = advice ? ` (${advice})` : '';
  tell(code, `no history of ${JSON.stringify(channel)}${from}: ${code}: ${why}${todo}`);
  const more = process.env.NODE_ENV === 'production' ? '' : `: ${why}`;
  const message = `The history could not be loaded on the server (${code})${more}`;
  return {
    channel,
    epoch: '',
    messages: [],
    top: 0,
    oldest: 1,
    more: false,
    error: { code, message },
  };
}

/** Leaves out what the schema of the contract refuses, and says so. */
export function checkMessages(
  messages: readonly Message[],
  check: (data: unknown, event?: string) => unknown,
): Message[] {
  return messages.flatMap((message) => {
    try {
      return [{ ...message, data: check(message.data, message.event) }];
    } catch (error) {
      const { channel, offset } = message;
      tell('schema', `message ${offset} of ${JSON.stringify(channel)} is left out: ${error}`);
      return [];
    }
  });
}

function tell(kind: string, line: string): void {
  const now = Date.now();
  if (now - (told.get(kind) ?? Number.NEGATIVE_INFINITY) < tellEveryMs) return;
  told.set(kind, now);
  console.warn(`[anywire] ${line}`);
}
