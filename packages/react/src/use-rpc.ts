'use client';

import { AnywireError, type Client, type RpcRef, rpc } from '@anywire/client';
import { useEffect } from 'react';
import { nameOf } from './feed';
import { useHeld, useSnapshot } from './held';
import { useAnywire } from './provider';
import { Source } from './source';

/** How long a call may take. */
export interface RpcCallOptions {
  /** Give up after so many ms, waiting for a connection included. Default 120 000. */
  readonly timeout?: number;
  /** Gives up; the method may have been carried out nevertheless. */
  readonly signal?: AbortSignal;
}

/** Calls the method. A method that needs no argument may be called without. */
export type RpcCall<In, Out> = (
  ...args: undefined extends In
    ? [input?: In, options?: RpcCallOptions]
    : [input: In, options?: RpcCallOptions]
) => Promise<Out>;

/** What `useRpc` returns. */
export interface RpcState<In = unknown, Out = unknown> {
  /**
   * Resolves with the answer to this call, rejects with an AnywireError that shows in `error`, too.
   */
  readonly call: RpcCall<In, Out>;
  /** The answer to the latest call that had one; kept while another is pending. */
  readonly data: Out | undefined;
  /** Why the latest call failed. */
  readonly error: AnywireError | undefined;
  /** The last call has no answer yet. */
  readonly isPending: boolean;
  /** Back to the beginning; what is pending is given up. */
  readonly reset: () => void;
}

/**
 * A method of the application behind the server. What shows is about the latest call, whatever the
 * order of the answers. Calls that are pending when the component goes are given up. Null means
 * "not now": calls are rejected.
 */
export function useRpc<Out = unknown, In = unknown>(
  method: string | null | undefined,
): RpcState<In, Out>;
export function useRpc<In, Out>(
  method: RpcRef<In, Out> | string | null | undefined,
): RpcState<In, Out>;
export function useRpc<In, Out>(
  method: RpcRef<In, Out> | string | null | undefined,
): RpcState<In, Out> {
  const client = useAnywire();
  const view = useHeld(
    [client, nameOf(method)],
    () => new RpcView<In, Out>(client, method ?? undefined),
  );
  useEffect(() => view.attach(), [view]);
  return useSnapshot(view);
}

/** What one `useRpc` knows of one method. */
export class RpcView<In, Out> extends Source<RpcState<In, Out>> {
  readonly #client: Client;
  readonly #method: RpcRef<In, Out> | string | undefined;
  readonly #pending = new Set<AbortController>();
  #latest: AbortController | undefined;
  #data: Out | undefined;
  #error: AnywireError | undefined;

  constructor(client: Client, method: RpcRef<In, Out> | string | undefined) {
    super();
    this.#client = client;
    this.#method = method;
  }

  attach(): () => void {
    return () => this.#giveUp();
  }

  protected take(): RpcState<In, Out> {
    return {
      call: this.#call,
      data: this.#data,
      error: this.#error,
      isPending: this.#latest !== undefined,
      reset: this.#reset,
    };
  }

  readonly #call = ((input: In, options?: RpcCallOptions) => {
    const answer = this.#run(input, options);
    // Whoever does not look at the promise still sees the error, and nothing breaks.
    answer.catch(() => {});
    return answer;
  }) as RpcCall<In, Out>;

  async #run(input: In, { timeout, signal }: RpcCallOptions = {}): Promise<Out> {
    const abort = new AbortController();
    const end = () => abort.abort();
    if (signal?.aborted) end();
    signal?.addEventListener('abort', end);
    this.#pending.add(abort);
    this.#latest = abort;
    this.changed();
    try {
      const method = this.#method;
      if (method === undefined) throw new AnywireError('no_method', 'There is no method to call');
      const options = { signal: abort.signal, ...(timeout !== undefined && { timeout }) };
      const data = await rpc(this.#client, method as RpcRef<In, Out>, input, options);
      if (this.#latest === abort) {
        this.#data = data;
        this.#error = undefined;
      }
      return data;
    } catch (error) {
      if (this.#latest === abort) this.#error = error as AnywireError;
      throw error;
    } finally {
      signal?.removeEventListener('abort', end);
      this.#pending.delete(abort);
      if (this.#latest === abort) {
        this.#latest = undefined;
        this.changed();
      }
    }
  }

  #giveUp(): void {
    this.#latest = undefined;
    for (const abort of this.#pending) abort.abort();
    this.changed();
  }

  readonly #reset = (): void => {
    this.#data = undefined;
    this.#error = undefined;
    this.#giveUp();
  };
}
