import {
  AnywireError,
  type ChannelOptions,
  type ChannelRef,
  type Client,
  type EventName,
  type Gap,
  type NoEvents,
  type Position,
  type Publishable,
  type Published,
  type PublishOptions,
  type Received,
  type Subscribed,
  safely,
} from '@anywire/client';
import type { PreloadedHistory } from './boundary';
import { type ChannelStatus, Feed } from './feed';
import { Source } from './source';

/** What `useChannel` takes. */
export interface UseChannelOptions<M, U = M> extends ChannelOptions {
  /**
   * Sees every message, in order, in the turn in which it arrives, also those that `limit` or
   * `select` keep out of the list. The newest function is called.
   */
  readonly onMessage?: (message: M) => void;
  /** Messages are lost: from where to where, and why. */
  readonly onGap?: (gap: Gap) => void;
  /** Back after a break, and nothing is lost. */
  readonly onRecovered?: (info: Subscribed) => void;
  /** Whatever also shows in `error`, but for tries to connect that failed. */
  readonly onError?: (error: AnywireError) => void;
  /** Most items in `messages`; older ones make room. Default 1000. */
  readonly limit?: number;
  /** What of a message goes into `messages`; undefined leaves it out. May be an inline function. */
  readonly select?: (message: M) => U | undefined;
  /** Begin with these, instead of those of a HistoryBoundary. */
  readonly initial?: PreloadedHistory<M> | undefined;
}

/** Publishes once, however often it has to be sent. What it rejects with also shows in `error`. */
export type Publish<In = unknown, E = NoEvents> = <Name extends EventName<E> = never>(
  data: Publishable<In, E, Name>,
  options?: PublishOptions<Name>,
) => Promise<Published>;

/** What `useChannel` returns. Frozen; the same object until something changes. */
export interface UseChannelResult<U = unknown, In = unknown, E = NoEvents> {
  /** The newest, oldest first; a new array at most once a frame. */
  readonly messages: readonly U[];
  /** See `ChannelStatus`. */
  readonly status: ChannelStatus;
  /**
   * What went wrong last; while `connecting`, why the last try failed. Cleared by `clear`, a refusal
   * also by a subscription that is granted.
   */
  readonly error: AnywireError | undefined;
  /** The last gap: messages that this list will not show. Cleared by `clear`. */
  readonly gap: Gap | undefined;
  /** After a break: whether all was brought back. Undefined before the first. */
  readonly recovered: boolean | undefined;
  /** Messages that arrived and were not delivered, because the contract refuses them. */
  readonly dropped: number;
  /** Also when `status` is not `live`: it waits for the connection. */
  readonly publish: Publish<In, E>;
  /** Empties the list, and forgets error and gap. */
  readonly clear: () => void;
}

/** The position behind which a subscription goes on that begins with preloaded messages. */
export function behind(initial: PreloadedHistory | undefined): Position | undefined {
  if (!initial) return undefined;
  const { epoch, messages, top } = initial;
  // What is behind the newest message that is shown was looked at, too, and left out.
  return { epoch, offset: Math.max(top, messages.at(-1)?.offset ?? 0) };
}

/** What one `useChannel` sees of one channel. */
export class ChannelView<T, I, In, E, U> extends Source<UseChannelResult<U, In, E>> {
  readonly #feed: Feed<T, I, In, E> | undefined;
  #items: readonly U[] = [];
  #pending: U[] = [];
  #options: UseChannelOptions<Received<T, E>, U>;
  #error: AnywireError | undefined;
  #gap: Gap | undefined;
  #recovered: boolean | undefined;

  constructor(
    client: Client,
    target: string | ChannelRef<T, I, In, E> | undefined,
    options: UseChannelOptions<Received<T, E>, U>,
    initial: PreloadedHistory<Received<T, E>> | undefined,
  ) {
    super();
    this.#options = options;
    if (target !== undefined) {
      this.#feed = new Feed(
        client,
        target,
        options,
        behind(initial as PreloadedHistory | undefined),
      );
    }
    for (const message of initial?.messages ?? []) this.#keep(message);
    this.#merge();
  }

  update(options: UseChannelOptions<Received<T, E>, U>): void {
    this.#options = options;
  }

  attach(): () => void {
    if (!this.#feed) return () => {};
    const leave = this.#feed.attach({
      message: (message) => {
        if (this.#keep(message)) this.changedSoon();
        safely(() => this.#options.onMessage?.(message));
      },
      status: () => this.changed(),
      subscribed: (info) => {
        if (info.recovered === undefined) return;
        this.#recovered = info.recovered;
        if (info.recovered) safely(() => this.#options.onRecovered?.(info));
      },
      gap: (gap) => {
        this.#gap = gap;
        this.changedSoon();
        safely(() => this.#options.onGap?.(gap));
      },
      error: (error, dropped) => this.#fail(error, dropped),
    });
    return () => {
      leave();
      this.changed();
    };
  }

  readonly #publish: Publish<In, E> = (data, options) => {
    const published = this.#feed
      ? this.#feed.channel.publish(data, options)
      : Promise.reject(new AnywireError('no_channel', 'There is no channel'));
    // Whoever does not look at the promise still sees the error, and nothing breaks.
    published.catch((error: AnywireError) => this.#fail(error));
    return published;
  };

  readonly #clear = (): void => {
    this.#error = undefined;
    this.#gap = undefined;
    this.#items = [];
    this.#pending = [];
    this.changed();
  };

  protected take(): UseChannelResult<U, In, E> {
    return {
      messages: this.#items,
      status: this.#feed?.status ?? 'off',
      error: this.#feed?.error ?? this.#error ?? this.#feed?.trouble,
      gap: this.#gap,
      recovered: this.#recovered,
      dropped: this.#feed?.channel.dropped ?? 0,
      publish: this.#publish,
      clear: this.#clear,
    };
  }

  protected override changed(): void {
    this.#merge();
    super.changed();
  }

  #merge(): void {
    if (this.#pending.length === 0) return;
    this.#items = this.#newest([...this.#items, ...this.#pending]);
    this.#pending = [];
  }

  /** At most three times the limit is held, until the next frame. */
  #keep(message: Received<T, E>): boolean {
    const { select } = this.#options;
    const item = select ? safely(() => select(message)) : (message as unknown as U);
    if (item === undefined) return false;
    this.#pending.push(item);
    const { limit = 1000 } = this.#options;
    if (this.#pending.length > 2 * limit) this.#pending = this.#newest(this.#pending);
    return true;
  }

  #newest(items: U[]): U[] {
    return items.slice(Math.max(0, items.length - (this.#options.limit ?? 1000)));
  }

  #fail(error: AnywireError, lasting = true): void {
    // A refusal shows as long as it stands.
    if (lasting) this.#error = error;
    this.changedSoon();
    safely(() => this.#options.onError?.(error));
  }
}
