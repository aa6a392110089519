import {
  type Data,
  type Drop,
  type Lease,
  leaseSocket,
  MessageStore,
  privateSocket,
  resolveUrl,
  type Socket,
  type SocketOptions,
  type State,
  safely,
  type Unsubscribe,
} from '@anywire/client';
import { parseJson, serialize } from './codec';
import type { MessageDrop, MessageError, WsActions, WsOptions, WsSnapshot } from './types';

/** Messages kept back while no effect is attached; more than this in one linger are given up. */
const heldMax = 10_000;

export const idleSnapshot: WsSnapshot<never> = Object.freeze({
  connected: false,
  messages: Object.freeze([]),
  state: 'idle',
  error: undefined,
  attempt: 0,
  retryAt: undefined,
  lastClose: undefined,
  dropped: 0,
});

/**
 * What one hook call sees of one connection. Made during a render, so making it has no effect at
 * all; the connection is taken by `attach`, in an effect. After the effect's cleanup it is kept
 * for `linger` ms, and messages are kept back, so that an immediate re-attach (StrictMode,
 * Activity, a hot update) neither opens a second socket nor misses anything. A view belongs to
 * one URL for ever: a change of URL means a new view, which is why no old event or message can
 * reach the new one.
 */
export class View<T, U> {
  readonly #url: string | undefined;
  readonly #store = new MessageStore<U>();
  readonly #listeners = new Set<() => void>();
  #options: WsOptions<T, U>;
  #snapshot: WsSnapshot<U> | undefined;
  #lease: Lease | undefined;
  #leave: Unsubscribe[] = [];
  #attached = false;
  #everAttached = false;
  #lingerTimer: ReturnType<typeof setTimeout> | undefined;
  #held: Data[] = [];
  #error: MessageError | undefined;
  #dropped = 0;
  #missingSince: number | undefined;

  constructor(url: string | undefined, options: WsOptions<T, U>) {
    this.#url = url;
    this.#options = options;
    this.#store.subscribe(() => this.#changed());
  }

  // ---- what React reads

  readonly subscribe = (listener: () => void): Unsubscribe => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly getSnapshot = (): WsSnapshot<U> => {
    this.#snapshot ??= this.#takeSnapshot();
    return this.#snapshot;
  };

  /**
   * The newest callbacks and settings; those of the connection itself count from the next one
   * on.
   */
  update(options: WsOptions<T, U>): void {
    this.#options = options;
    this.#store.limit = options.limit ?? 1000;
  }

  /** Takes the connection; returns the effect's cleanup. */
  attach(): () => void {
    if (this.#url === undefined) return () => {};
    clearTimeout(this.#lingerTimer);
    this.#attached = true;
    this.#everAttached = true;
    this.#take(this.#url);
    const held = this.#held;
    this.#held = [];
    for (const data of held) this.#receive(data);
    return () => {
      this.#attached = false;
      this.#lingerLater();
    };
  }

  readonly actions: WsActions = {
    send: (data) => this.#send(data),
    reconnect: () => this.#lease?.socket.reconnect(),
    close: () => void this.#lease?.socket.close(),
    clear: () => {
      this.#error = undefined;
      this.#store.clear();
      this.#changed();
    },
  };

  // ---- the connection

  #take(url: string): Socket {
    if (this.#lease) return this.#lease.socket;
    const options = this.#socketOptions(url);
    this.#lease =
      this.#options.share === false
        ? privateSocket(options)
        : leaseSocket(shareKey(url, options), options);
    const { socket } = this.#lease;
    this.#leave = [
      socket.on('state', () => this.#changed()),
      socket.on('message', (data) => this.#onData(data)),
      socket.on('drop', (drop) => this.#lose(drop)),
      socket.on('close', () => {
        this.#missingSince ??= Date.now();
      }),
      socket.on('open', () => this.#onOpen()),
    ];
    if (socket.state === 'open') this.#onOpen();
    this.#changed();
    return socket;
  }

  #lingerLater(): void {
    clearTimeout(this.#lingerTimer);
    this.#lingerTimer = setTimeout(() => this.#letGo(), this.#options.linger ?? 250);
  }

  #letGo(): void {
    const lease = this.#lease;
    if (!lease) return;
    if (lease.socket.snapshot.opens > 0) this.#missingSince ??= Date.now();
    for (const leave of this.#leave) leave();
    this.#leave = [];
    this.#lease = undefined;
    this.#held = [];
    this.#store.flush();
    lease.release();
    this.#changed();
  }

  #socketOptions(url: string): SocketOptions {
    const { protocols, heartbeat, queue, backoff, fatal, token } = this.#options;
    return {
      url,
      ...(protocols !== undefined && { protocols }),
      ...(heartbeat !== undefined && { heartbeat }),
      ...(queue !== undefined && { queue }),
      ...(backoff && { backoff }),
      ...(fatal && { fatal }),
      ...(typeof token === 'string' && { token }),
      ...(typeof token === 'function' && {
        token: (context) => {
          const latest = this.#options.token;
          return typeof latest === 'function' ? latest(context) : token(context);
        },
      }),
    };
  }

  #onOpen(): void {
    this.#error = undefined;
    const since = this.#missingSince;
    this.#missingSince = undefined;
    this.#changed();
    if (since !== undefined) safely(() => this.#options.onGap?.({ since, until: Date.now() }));
  }

  // ---- messages in

  #onData(data: Data): void {
    if (this.#attached) this.#receive(data);
    else if (this.#held.length < heldMax) this.#held.push(data);
    else this.#lose({ reason: 'held', count: 1, data });
  }

  #receive(data: Data): void {
    const { parse = parseJson, schema, onMessage, select } = this.#options;
    let message: T;
    try {
      message = parse(data) as T;
    } catch (cause) {
      this.#refuse({ code: 'parse', message: 'A message could not be parsed', cause }, data);
      return;
    }
    if (schema) {
      const result = safely(() => schema['~standard'].validate(message));
      if (!result) {
        this.#refuse({ code: 'schema', message: 'The schema threw' }, data);
        return;
      }
      if (result instanceof Promise) {
        // Waiting would let later messages overtake; and a stream is no place for look-ups.
        this.#refuse({ code: 'schema', message: 'The schema is asynchronous' }, data);
        return;
      }
      if (result.issues) {
        const { issues } = result;
        this.#refuse(
          { code: 'schema', message: issues[0]?.message ?? 'Refused by the schema', issues },
          data,
        );
        return;
      }
      message = result.value;
    }
    const item = select ? safely(() => select(message)) : (message as unknown as U);
    if (item !== undefined) this.#store.push(item);
    if (onMessage) safely(() => onMessage(message, data));
  }

  #refuse(error: MessageError, data: Data): void {
    this.#error = error;
    const { issues, cause } = error;
    this.#lose({
      reason: error.code,
      count: 1,
      data,
      ...(issues && { issues }),
      ...(cause !== undefined && { cause }),
    });
  }

  // ---- messages out

  #send(data: unknown): boolean {
    if (this.#url === undefined || (this.#everAttached && !this.#lease)) {
      this.#lose({ reason: 'not-open', count: 1, bytes: 0 });
      return false;
    }
    let frame: ReturnType<typeof serialize>;
    try {
      frame = serialize(data);
    } catch (cause) {
      this.#lose({ reason: 'unserializable', count: 1, data, cause });
      return false;
    }
    const socket = this.#take(this.#url);
    // Called by an effect that runs before ours: the connection is held until ours comes.
    if (!this.#attached) this.#lingerLater();
    return socket.send(frame).ok;
  }

  #lose(drop: Drop | MessageDrop): void {
    this.#dropped += drop.count;
    this.#changed();
    safely(() => this.#options.onDrop?.(drop));
  }

  // ---- the snapshot

  #takeSnapshot(): WsSnapshot<U> {
    const messages = this.#store.snapshot;
    const dropped = this.#dropped;
    const socket = this.#lease?.socket.snapshot;
    const state: State = socket?.state ?? 'idle';
    return Object.freeze({
      connected: state === 'open',
      messages,
      state,
      error: socket?.error ?? this.#error,
      attempt: socket?.attempt ?? 0,
      retryAt: socket?.retryAt,
      lastClose: socket?.lastClose,
      dropped,
    });
  }

  #changed(): void {
    this.#snapshot = undefined;
    for (const listener of [...this.#listeners]) listener();
  }
}

/**
 * Two hooks share a connection when these agree. A token is part of it: other people, other
 * socket.
 */
function shareKey(url: string, options: SocketOptions): string {
  const { protocols = [], token } = options;
  let where = url;
  try {
    where = resolveUrl(url);
  } catch {
    // A URL that cannot be used makes a socket that says so; it is shared like any other.
  }
  return JSON.stringify([
    where,
    [protocols].flat(),
    typeof token === 'string' ? token : typeof token,
  ]);
}
