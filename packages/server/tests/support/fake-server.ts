/** What a call sent. */
export interface Sent {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  /** The body's JSON; undefined where there was none. */
  readonly body: unknown;
}

type Reply = Response | Error | ((sent: Sent, signal: AbortSignal) => Promise<Response> | Response);

/** A `fetch` that answers with what a test has laid out, and keeps what it was sent. */
export class FakeServer {
  readonly sent: Sent[] = [];
  readonly #replies: Reply[] = [];
  /** When there is nothing else to say. */
  always: Reply | undefined;

  reply(...replies: Reply[]): this {
    this.#replies.push(...replies);
    return this;
  }

  get last(): Sent {
    const last = this.sent.at(-1);
    if (!last) throw new Error('nothing was sent');
    return last;
  }

  readonly fetch = async (
    input: string | URL | Request,
    init: RequestInit = {},
  ): Promise<Response> => {
    const { method = 'GET', body, headers, signal } = init;
    const sent: Sent = {
      method,
      url: new URL(String(input)),
      headers: new Headers(headers),
      body: typeof body === 'string' ? JSON.parse(body) : undefined,
    };
    this.sent.push(sent);
    if (signal?.aborted) throw new DOMException('aborted', 'AbortError');
    const reply = this.#replies.shift() ?? this.always;
    if (reply === undefined) throw new Error(`nobody answers ${method} ${sent.url}`);
    if (reply instanceof Error) throw reply;
    return reply instanceof Response ? reply.clone() : reply(sent, signal as AbortSignal);
  };
}

export const ok = (body: unknown): Response => Response.json(body);

export const problem = (
  status: number,
  code: string,
  more: Readonly<Record<string, unknown>> = {},
  headers: Record<string, string> = {},
): Response =>
  Response.json(
    { error: { code, message: `${code} it is`, retry: false, ...more } },
    { status, headers },
  );

/** Answers never; gives up when the caller does. */
export const silence = (_: Sent, signal: AbortSignal): Promise<Response> =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
  });
