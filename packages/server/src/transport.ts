import { ApiError, type Problem, problemToError } from './error';

/** One call of the HTTP API. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Behind `/api/v1`, with its query. */
  readonly path: string;
  /** JSON. */
  readonly body?: string;
  /** Carried out twice it does what it does once: it may be sent again. */
  readonly repeatable: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Longer than `timeout`, where the answer takes its time; ms. */
  readonly patience?: number;
}

/** What all calls have in common. */
export interface TransportOptions {
  /** With the API's path, without a slash at its end. */
  readonly base: string;
  readonly authorize: () => Promise<string>;
  readonly fetch: typeof fetch;
  /** For all tries together, ms. */
  readonly timeout: number;
  readonly retries: number;
}

const firstWaitMs = 100;
const longestWaitMs = 10_000;

/**
 * Carries out a call and gives the answer's JSON. Tries again, each time after a longer pause with
 * chance in it, where that can help and cannot do harm: the server says that it may succeed later,
 * or nothing came back and the call is repeatable. A pause that the server asks for is kept, or the
 * call fails at once where it would be too long. Rejects with an ApiError.
 */
export async function carryOut(call: Call, options: TransportOptions): Promise<unknown> {
  const clock = new Deadline(options.timeout + (call.patience ?? 0), call.signal);
  try {
    for (let tries = 0; ; ++tries) {
      try {
        return await tryOnce(call, options, clock.signal);
      } catch (cause) {
        const error = clock.explain(cause);
        const wait = tries < options.retries ? pauseBefore(tries, error, call) : undefined;
        if (wait === undefined || wait >= clock.left) throw error;
        await clock.pause(wait);
      }
    }
  } finally {
    clock.end();
  }
}

/** How long to wait before the next try; undefined where there is to be none. */
function pauseBefore(tries: number, error: ApiError, call: Call): number | undefined {
  const again = error.code === 'network' ? call.repeatable : error.retry && error.status !== 504;
  if (!again) return undefined;
  const most = Math.min(firstWaitMs * 2 ** tries, longestWaitMs);
  return (error.retryAfter ?? 0) + most * (0.5 + Math.random() / 2);
}

async function tryOnce(
  call: Call,
  options: TransportOptions,
  signal: AbortSignal,
): Promise<unknown> {
  const { method, path, body } = call;
  const authorization = await options.authorize();
  let answer: Response;
  let text: string;
  try {
    answer = await options.fetch(options.base + path, {
      method,
      signal,
      headers: {
        authorization,
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body }),
      // Of another address nobody may know the key.
      redirect: 'manual',
      // What is asked here changes with every request; frameworks keep answers unless told.
      cache: 'no-store',
    });
    text = await answer.text();
  } catch (cause) {
    throw new ApiError('network', `${options.base} could not be reached: ${words(cause)}`, 0, {
      retry: true,
      uncertain: true,
      cause,
    });
  }
  const said = parse(text);
  if (answer.ok && said !== undefined) return said;
  const problem = answer.ok ? undefined : problemOf(said, answer.status);
  if (problem) throw problemToError(problem, answer.status, retryAfterOf(answer));
  throw notAnywire(answer, options.base);
}

/** A server with too much to do answers newcomers before it has read that it is its API they want. */
function problemOf(said: unknown, status: number): Problem | undefined {
  if (typeof said !== 'object' || said === null) return undefined;
  const { error, code } = said as { readonly error?: Problem; readonly code?: unknown };
  const turnedAway = (status === 429 || status === 503) && typeof code === 'string';
  return error ?? (turnedAway ? { ...said, retry: true } : undefined);
}

function notAnywire(answer: Response, base: string): ApiError {
  // A server that has too much to do, or a proxy before it, has no JSON to say so.
  const busy = answer.status === 429 || answer.status === 502 || answer.status === 503;
  const retryAfter = retryAfterOf(answer);
  return new ApiError(
    busy ? 'unavailable' : 'bad_answer',
    `${base} answered ${answer.status || 'with a redirect'}, and not as Anywire's HTTP API does. ` +
      'Is the address right, and [api] enabled?',
    answer.status,
    { retry: busy, ...(retryAfter !== undefined && { retryAfter }) },
  );
}

/** The header is in seconds (RFC 9110 section 10.2.3); dates are not used by servers of ours. */
function retryAfterOf({ headers }: Response): number | undefined {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** "fetch failed" says nothing; its cause does. */
function words(error: unknown): string {
  const { message, cause } = error as Error;
  const deeper = (cause as Error | undefined)?.message;
  return deeper ? `${message} (${deeper})` : String(message);
}

/** The time that a call has, and its caller's signal. */
class Deadline {
  readonly #abort = new AbortController();
  readonly #ends: number;
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #caller: AbortSignal | undefined;
  #late = false;

  constructor(ms: number, caller: AbortSignal | undefined) {
    this.#ends = Date.now() + ms;
    this.#caller = caller;
    this.#timer = setTimeout(() => {
      this.#late = true;
      this.#abort.abort();
    }, ms);
    if (caller?.aborted) this.#abort.abort();
    caller?.addEventListener('abort', this.#onAbort);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get left(): number {
    return this.#ends - Date.now();
  }

  /** What went wrong, as an error of ours. */
  explain(cause: unknown): ApiError {
    if (this.#caller?.aborted) {
      return new ApiError('aborted', 'the call was given up', 0, { uncertain: true, cause });
    }
    if (this.#late) {
      return new ApiError('timeout', 'no answer in time', 0, { retry: true, uncertain: true });
    }
    if (cause instanceof ApiError) return cause;
    // Of the token: nothing has been sent.
    const { code = 'bad_data', message = String(cause) } = cause as { code?: string } & Error;
    return new ApiError(code, message, 0, { cause });
  }

  /** Resolves after so many ms, or as soon as there is no more time. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.signal.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        this.signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.signal.addEventListener('abort', done);
    });
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = (): void => this.#abort.abort();
}
