import type { AnywireError, Client } from '@anywire/client';

/** How long a component that waits is believed to be still wanted, ms; if it is, it asks again. */
const pendingMs = 10_000;
/** How long what is ready waits for a component that may never come, ms. */
const readyMs = 5_000;
/** After a component has taken over, for those that are mounted in the same moment, ms. */
const takenMs = 250;
/** So long an error stays one, ms: React renders a component again before it believes an error. */
const failedMs = 500;

/**
 * Something that suspended components wait for. It begins because of a render, which React may
 * give up without a word; so it holds what it holds for a bounded time, counted from the last
 * render that asked for it.
 */
export abstract class Waiting {
  readonly promise: Promise<void>;
  /** Called once, when nothing is held any more. */
  ended: (() => void) | undefined;
  readonly #client: Client;
  #resolve: () => void = () => {};
  #status: 'pending' | 'ready' | 'failed' | 'gone' = 'pending';
  #error: AnywireError | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #over = false;

  constructor(client: Client) {
    this.#client = client;
    this.promise = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** `gone`: there is nothing to wait for any more, because the client was closed. */
  get status(): 'pending' | 'ready' | 'failed' | 'gone' {
    return this.#status;
  }

  get error(): AnywireError | undefined {
    return this.#error;
  }

  /** A component is being rendered that waits for this. */
  touch(): void {
    // An error is not prolonged by being looked at, or a reset would find it again and again.
    if (this.#status === 'failed' && this.#timer !== undefined) return;
    this.#endAfter({ pending: pendingMs, ready: readyMs, failed: failedMs, gone: 0 }[this.#status]);
  }

  /** A component is mounted, and holds by itself what this has held for it. */
  taken(): void {
    if (!this.#over) this.#endAfter(takenMs);
  }

  /**
   * `now`: within the render. Else right after it, because connecting tells other components, which
   * must not be while React renders.
   */
  protected begin(now: boolean): void {
    if (now) {
      this.start();
      return;
    }
    queueMicrotask(() => {
      if (this.#status !== 'pending') return;
      const { state } = this.#client.snapshot;
      // It is only made anew for a component that is mounted, or reset: somebody wants a new try.
      if (state === 'failed') this.#client.connect().catch(() => {});
      this.start();
    });
  }

  protected abstract start(): void;
  protected abstract stop(): void;

  protected settle(status: 'ready' | 'failed' | 'gone'): void {
    if (this.#status !== 'pending') return;
    this.#status = status;
    this.#timer = clear(this.#timer);
    this.touch();
    this.#resolve();
  }

  protected fail(error: AnywireError | undefined): void {
    this.#error = error;
    this.settle('failed');
  }

  #endAfter(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#over = true;
      this.ended?.();
      this.stop();
      // Whoever is still waiting renders again, and so begins anew.
      this.#status = this.#status === 'pending' ? 'gone' : this.#status;
      this.#resolve();
    }, ms);
  }
}

function clear(timer: ReturnType<typeof setTimeout> | undefined): undefined {
  clearTimeout(timer);
  return undefined;
}

const waiting = new WeakMap<Client, Map<string, Waiting>>();

/**
 * What a render waits for, made when there is none of this key. Throws what Suspense and error
 * boundaries catch, until it is ready; undefined when the client is closed.
 */
export function awaited<W extends Waiting>(
  client: Client,
  key: string,
  make: () => W,
): W | undefined {
  let all = waiting.get(client);
  if (!all) {
    all = new Map();
    waiting.set(client, all);
  }
  let found = all.get(key) as W | undefined;
  if (!found) {
    const held = all;
    found = make();
    found.ended = () => held.delete(key);
    all.set(key, found);
  }
  found.touch();
  if (found.status === 'failed') throw found.error;
  // Thrown rather than given to `use`, which React 18 does not have; both know what it means.
  if (found.status === 'pending') throw found.promise;
  return found.status === 'ready' ? found : undefined;
}
