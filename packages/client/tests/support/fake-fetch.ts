import type { Conn, NativeServer } from './native-server';

interface Stream {
  readonly conn: Conn;
  readonly out: object[];
  close: { readonly code: number; readonly reason: string } | undefined;
  /** Wakes the response that waits for something to tell. */
  wake: () => void;
  seq: number;
  /** The last answer to a poll, given again until it is acknowledged. */
  answer: { readonly seq: number; readonly text: string } | undefined;
}

export interface Request {
  readonly path: string;
  readonly body: string;
  readonly contentType: string | undefined;
}

/**
 * The plain HTTP side of a NativeServer (docs/protocol.md section 9), as a `fetch`. What the
 * network does to requests is up to `fault`.
 */
export class FakeFetch {
  readonly requests: Request[] = [];
  /**
   * `lost`: never gets there; `unanswered`: gets there, but the answer is lost; `hang`: no answer
   * comes; a number: a status.
   */
  fault: (request: Request) => 'lost' | 'unanswered' | 'hang' | number | undefined = () =>
    undefined;
  /** Streams end a line of the event stream like this. */
  eol = '\n';
  readonly #server: NativeServer;
  readonly #streams = new Map<string, Stream>();
  #comments: (() => void)[] = [];

  constructor(server: NativeServer) {
    this.#server = server;
  }

  of(path: string): readonly Request[] {
    return this.requests.filter((request) => request.path === path);
  }

  /** A sign of life for all event streams. */
  comment(): void {
    for (const write of this.#comments) write();
  }

  fetch: typeof fetch = async (input, init = {}) => {
    const { pathname } = new URL(String(input));
    const path = pathname.split('/').at(-1) ?? '';
    const body = String(init.body ?? '');
    // With the headers that the platform itself puts in.
    const { headers } = new Request(String(input), { ...init, signal: null });
    const request = { path, body, contentType: headers.get('content-type') ?? undefined };
    this.requests.push(request);
    const { signal } = init;
    const fault = this.fault(request);
    if (fault === 'lost') throw new TypeError('fetch failed');
    if (typeof fault === 'number') return new Response('{}', { status: fault });
    if (fault === 'hang') return this.#hang(signal);
    const answer = this.#answer(path, body, signal);
    if (fault === 'unanswered') {
      void answer.catch(() => {});
      throw new TypeError('fetch failed');
    }
    return answer;
  };

  #hang(signal: AbortSignal | null | undefined): Promise<never> {
    return new Promise((_, reject) =>
      signal?.addEventListener('abort', () => reject(new TypeError('aborted'))),
    );
  }

  async #answer(
    path: string,
    body: string,
    signal: AbortSignal | null | undefined,
  ): Promise<Response> {
    if (path === 'sse') return this.#sse(signal);
    const request = JSON.parse(body) as {
      stream?: string;
      ack?: number;
      messages?: { type: string }[];
    };
    let stream = this.#streams.get(request.stream ?? '');
    if (path === 'poll' && request.stream === undefined) stream = this.#open()[1];
    if (!stream) return new Response('{"code":"stream_gone"}', { status: 404 });
    for (const message of request.messages ?? []) this.#server.take(stream.conn, message);
    if (path === 'send') return new Response(null, { status: 204 });
    return this.#poll(stream, request.ack, signal);
  }

  #open(): [string, Stream] {
    const id = `stream-${this.#streams.size + 1}`;
    const out: object[] = [];
    const stream: Stream = {
      conn: this.#server.open({
        send: (messages) => {
          out.push(...messages);
          stream.wake();
        },
        close: (code, reason) => {
          stream.close = { code, reason };
          stream.wake();
        },
      }),
      out,
      close: undefined,
      wake: () => {},
      seq: 0,
      answer: undefined,
    };
    this.#streams.set(id, stream);
    return [id, stream];
  }

  async #poll(
    stream: Stream,
    ack: number | undefined,
    signal: AbortSignal | null | undefined,
  ): Promise<Response> {
    const [id] = [...this.#streams].find(([, other]) => other === stream) ?? [''];
    if (stream.answer && ack !== stream.answer.seq) return new Response(stream.answer.text);
    signal?.addEventListener('abort', () => stream.wake(), { once: true });
    while (stream.out.length === 0 && !stream.close && !signal?.aborted) {
      await new Promise<void>((resolve) => {
        stream.wake = resolve;
      });
    }
    if (signal?.aborted) throw new TypeError('aborted');
    const { close } = stream;
    const messages = stream.out.splice(0);
    const seq = ++stream.seq;
    const text = JSON.stringify({ stream: id, seq, messages, ...(close && { close }) });
    stream.answer = { seq, text };
    return new Response(text);
  }

  #sse(signal: AbortSignal | null | undefined): Response {
    const [id, stream] = this.#open();
    const { eol } = this;
    const encoder = new TextEncoder();
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        const write = (...lines: string[]) => {
          // One byte at a time, so that everything arrives torn apart.
          const bytes = encoder.encode(lines.map((line) => line + eol).join(''));
          controller.enqueue(bytes.slice(0, 3));
          controller.enqueue(bytes.slice(3));
        };
        const comment = () => write(': still here');
        write('event: open', `data: {"stream":"${id}"}`, '');
        this.#comments.push(comment);
        stream.wake = () => {
          const messages = stream.out.splice(0);
          if (messages.length === 1) write(`data: ${JSON.stringify(messages[0])}`, '');
          else if (messages.length > 1) {
            write(
              'data: [',
              `data: ${messages.map((m) => JSON.stringify(m)).join()}`,
              'data: ]',
              '',
            );
          }
          if (!stream.close) return;
          write('event: close', `data: ${JSON.stringify(stream.close)}`, '');
          this.#comments = this.#comments.filter((other) => other !== comment);
          controller.close();
        };
        signal?.addEventListener('abort', () => {
          this.#comments = this.#comments.filter((other) => other !== comment);
          stream.wake = () => {};
          try {
            controller.error(new TypeError('aborted'));
          } catch {
            // It had ended before.
          }
        });
      },
    });
    return new Response(body);
  }
}
