import type {
  Codec,
  Piece,
  Transport,
  TransportSetup,
  WireEvents,
  WireMessage,
} from './realtime/wire';
import type { CloseInfo } from './types';

/**
 * The ways around a blocked WebSocket (docs/protocol.md section 9): Server-Sent Events and
 * long-polling, both over `fetch` alone, in JSON. Put them behind the first choice:
 *
 *   createClient({ url, transports: [websocket(), sse(), poll()] })
 */

/** A poll whose answer did not arrive is asked again so often; the server repeats the answer. */
const pollTriesMax = 3;
const pollPauseMs = 500;
/** One line of an event stream may not grow without end; frames are at most 1 MiB by default. */
const lineMax = 16 << 20;

/** Messages come as events of one long response, and go as requests of their own. */
export function sse(): Transport {
  return {
    name: 'sse',
    open(setup, events) {
      const stream = new Stream(setup, events);
      void stream.guard(async () => {
        const { body } = await stream.fetch('sse', { cache: 'no-store' });
        if (!body) throw new Error('no streaming here');
        await readEvents(body, (name, data) => {
          if (name === 'open') {
            stream.begin((JSON.parse(data) as { readonly stream: string }).stream);
            if (!stream.ended) events.opened();
          } else if (name === 'close') stream.closed(JSON.parse(data) as Farewell);
          else if (name === '') stream.take(setup.json.decode(data));
          else stream.take([]);
        });
        throw new Error('stream ended');
      });
      return stream;
    },
  };
}

/** Messages come as answers to requests that wait, and go as requests of their own. */
export function poll(): Transport {
  return {
    name: 'poll',
    open(setup, events) {
      const stream = new Stream(setup, events);
      let first: readonly Piece[] | undefined;
      const run = async () => {
        let answer = await stream.post('poll', `"messages":[${first?.join() ?? ''}]`);
        if (typeof answer.stream !== 'string') throw new Error('no stream');
        const { stream: id } = answer;
        stream.begin(id);
        for (;;) {
          stream.take(messagesOf(answer));
          if (answer.close) stream.closed(answer.close as Farewell);
          if (stream.ended) return;
          const ack = Number(answer.seq);
          answer = await stream.patiently('poll', `"stream":${JSON.stringify(id)},"ack":${ack}`);
        }
      };
      // The first messages open the stream; there is nothing to wait for before they are sent.
      stream.onFirst = (pieces) => {
        first = pieces;
        void stream.guard(run);
      };
      void Promise.resolve().then(() => {
        if (!stream.ended) events.opened();
      });
      return stream;
    },
  };
}

function messagesOf({ messages }: Record<string, unknown>): readonly WireMessage[] {
  if (!Array.isArray(messages)) return [];
  return messages.filter((message) => typeof message?.type === 'string');
}

interface Farewell {
  readonly code: number;
  readonly reason?: string;
}

/** What both have in common: the way out, the requests, and one end. */
class Stream {
  readonly codec: Codec;
  /** Takes the first messages, where they open the stream. */
  onFirst: ((pieces: readonly Piece[]) => void) | undefined;
  readonly #setup: TransportSetup;
  readonly #events: WireEvents;
  readonly #abort = new AbortController();
  readonly #waits = new Set<unknown>();
  #id: string | undefined;
  #waiting: Piece[] = [];
  #sending = false;

  constructor(setup: TransportSetup, events: WireEvents) {
    this.#setup = setup;
    this.#events = events;
    this.codec = setup.json;
  }

  get ended(): boolean {
    return this.#abort.signal.aborted;
  }

  // ---- as a wire

  send(pieces: readonly Piece[]): void {
    if (this.ended) return;
    if (this.onFirst) {
      const take = this.onFirst;
      this.onFirst = undefined;
      take(pieces);
      return;
    }
    this.#waiting.push(...pieces);
    this.#flush();
  }

  end(): Promise<void> {
    for (const timer of this.#waits) this.#setup.clock.clearTimeout(timer);
    this.#abort.abort();
    return Promise.resolve();
  }

  // ---- inwards

  begin(id: string): void {
    this.#id = id;
    this.#flush();
  }

  /** Never comes back when the stream ends meanwhile. */
  #wait(ms: number): Promise<void> {
    const { clock } = this.#setup;
    return new Promise((resolve) => {
      const timer = clock.setTimeout(() => {
        this.#waits.delete(timer);
        resolve();
      }, ms);
      this.#waits.add(timer);
    });
  }

  take(messages: readonly WireMessage[]): void {
    if (!this.ended) this.#events.messages(messages);
  }

  closed({ code, reason = '' }: Farewell): void {
    this.#lost({ code, reason, wasClean: true, by: 'peer' });
  }

  /** Runs the reading side; whatever goes wrong with it ends the stream. */
  async guard(run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    const code = statusOf(error) === 413 ? 1009 : 1006;
    this.#lost({ code, reason: String(error), wasClean: false, by: 'peer' });
  }

  #lost(close: CloseInfo): void {
    if (this.ended) return;
    void this.end();
    this.#events.lost(close);
  }

  // ---- requests

  async fetch(path: string, init: RequestInit): Promise<Response> {
    const request = this.#setup.fetch ?? globalThis.fetch;
    const url = new URL(this.#setup.url);
    url.protocol = url.protocol === 'wss:' ? 'https:' : 'http:';
    url.pathname = `${url.pathname.replace(/\/$/, '')}/${path}`;
    for (;;) {
      const response = await request(url.href, { ...init, signal: this.#abort.signal });
      if (response.ok) return response;
      const { status } = response;
      if (status !== 503) throw Object.assign(new Error(`${path}: status ${status}`), { status });
      // Nothing was taken, so asking again does no harm; the heartbeat sees to it that it ends.
      await this.#wait(Math.max(1, Number(response.headers.get('retry-after')) || 1) * 1000);
    }
  }

  async post(path: string, members: string): Promise<Record<string, unknown>> {
    // text/plain keeps a browser from asking first whether it may (no CORS preflight).
    const headers = { 'content-type': 'text/plain' };
    const response = await this.fetch(path, { method: 'POST', headers, body: `{${members}}` });
    return response.status === 204 ? {} : ((await response.json()) as Record<string, unknown>);
  }

  /** For a request that may be repeated without harm. */
  async patiently(path: string, members: string): Promise<Record<string, unknown>> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.post(path, members);
      } catch (error) {
        if (this.ended || tries === pollTriesMax || statusOf(error)) throw error;
        await this.#wait(pollPauseMs);
      }
    }
  }

  /** One request at a time keeps the order; what gathers meanwhile goes with the next. */
  #flush(): void {
    if (this.#sending || this.#id === undefined || this.#waiting.length === 0) return;
    const pieces = this.#waiting.splice(0, 64);
    this.#sending = true;
    const body = `"stream":${JSON.stringify(this.#id)},"messages":[${pieces.join()}]`;
    this.post('send', body).then(
      () => {
        this.#sending = false;
        if (!this.ended) this.#flush();
      },
      // It may have been taken or not, so this stream is over: a resumed session sorts it out.
      (error: unknown) => this.#fail(error),
    );
  }
}

/** The status of a response that was none of success; absent where there was no response. */
function statusOf(error: unknown): number | undefined {
  return (error as { readonly status?: number }).status;
}

/** Reads an event stream (WHATWG HTML 9.2.6) until it ends. Comments are told as event `:`. */
async function readEvents(
  body: ReadableStream<Uint8Array>,
  tell: (name: string, data: string) => void,
): Promise<void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  let name = '';
  let data: string[] = [];
  const line = (text: string) => {
    if (text === '') {
      if (data.length > 0) tell(name, data.join('\n'));
      name = '';
      data = [];
      return;
    }
    const colon = text.indexOf(':');
    const field = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? '' : text.slice(colon + 1).replace(/^ /, '');
    if (field === '') tell(':', '');
    else if (field === 'event') name = value;
    else if (field === 'data') data.push(value);
  };
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    rest += decoder.decode(value, { stream: true });
    // A CR at the very end may be half of a CRLF; it waits for what follows.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() as string;
    if (rest.length > lineMax) throw new Error('line too long');
    for (const text of lines) line(text);
  }
}
