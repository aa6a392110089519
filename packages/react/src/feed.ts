import type {
  AnywireError,
  Channel,
  ChannelOptions,
  ChannelRef,
  Client,
  Gap,
  NoEvents,
  Position,
  Received,
  Subscribed,
  Unsubscribe,
} from '@anywire/client';

/**
 * Where a hook's channel stands.
 *
 * - `off`         there is no channel, the component is not mounted in a browser, or the client was
 *                 closed
 * - `connecting`  not subscribed yet
 * - `live`        messages arrive as they are published
 * - `waiting`     was live; the link or the subscription is being recovered
 * - `refused`     the server does not grant the subscription; `error` says why
 * - `failed`      the client has given up; `error` says why
 */
export type ChannelStatus = 'off' | 'connecting' | 'live' | 'waiting' | 'refused' | 'failed';

/** What a hook takes for a channel; null and undefined mean "not now". */
export type ChannelTarget<T = unknown, I = unknown, In = T, E = NoEvents> =
  | string
  | ChannelRef<T, I, In, E>
  | null
  | undefined;

/** The name alone says which channel it is, so a ref may be another object in every render. */
export function nameOf(
  target: string | { readonly name: string } | null | undefined,
): string | undefined {
  return typeof target === 'string' ? target : target?.name;
}

/** Who hears of a feed. All are called in the turn in which it happens. */
export interface FeedListener<M> {
  message(message: M): void;
  /** The status, or the error that belongs to it, has changed. */
  status?(): void;
  subscribed?(info: Subscribed): void;
  gap?(gap: Gap): void;
  /** `dropped`: a message came and was not delivered, as the contract refuses it. */
  error?(error: AnywireError, dropped: boolean): void;
}

/**
 * One hook's place in a channel. It remembers how far it has come, so that a component which was
 * hidden for a while goes on behind what it had: what came meanwhile is brought back, or told as a
 * gap. The subscription itself is the client's, shared, and outlives a short absence.
 */
export class Feed<T, I, In, E> {
  readonly channel: Channel<T, I, In, E>;
  readonly #client: Client;
  readonly #rewind: number;
  #position: Position | undefined;
  /** What is before this position was wished for, but not promised. */
  #wished: Position | undefined;
  #attached = false;
  /** Number of the connection on which it was subscribed last. */
  #connection = -1;
  #wasLive = false;
  #refusal: AnywireError | undefined;
  /** The error that the listener has heard of. */
  #told: AnywireError | undefined;

  /** `position`: begin behind it. */
  constructor(
    client: Client,
    target: string | ChannelRef<T, I, In, E>,
    options: ChannelOptions,
    position: Position | undefined,
  ) {
    this.#client = client;
    this.#rewind = options.rewind ?? 0;
    this.#position = position;
    this.channel = client.channel(target, options);
  }

  get status(): ChannelStatus {
    const { state, opens } = this.#client.snapshot;
    if (!this.#attached || state === 'closed') return 'off';
    if (state === 'failed') return 'failed';
    if (this.error) return 'refused';
    if (state === 'open' && this.#connection === opens) return 'live';
    return this.#wasLive ? 'waiting' : 'connecting';
  }

  /** Why it is `refused` or `failed`. */
  get error(): AnywireError | undefined {
    const { state, error } = this.#client.snapshot;
    if (this.#attached && state === 'failed') return error;
    return this.#refusal?.retry ? undefined : this.#refusal;
  }

  /** Why there is no connection though one was tried. It is tried on, so it may pass. */
  get trouble(): AnywireError | undefined {
    return this.status === 'connecting' ? this.#client.snapshot.error : undefined;
  }

  /** Where it stands: the last message it has had, or the beginning of its subscription. */
  get position(): Position | undefined {
    return this.#position;
  }

  attach(listener: FeedListener<Received<T, E>>): Unsubscribe {
    const { channel } = this;
    this.#attached = true;
    const status = () => {
      const { error } = this;
      if (error && error !== this.#told) listener.error?.(error, false);
      this.#told = error;
      listener.status?.();
    };
    const leaves = [
      this.#client.on('state', status),
      channel.on('subscribed', (info) => {
        // Made anew only for the sake of another listener, it is none of our business.
        const news = this.status !== 'live';
        const { position, top, recovered } = info;
        this.#forward(position);
        // It may begin earlier, for the sake of a listener that wants more of the last messages.
        if (position && recovered === undefined) {
          this.#forward({ ...position, offset: Math.max(0, top - this.#rewind) });
        }
        this.#begun();
        if (news) listener.subscribed?.(info);
        status();
      }),
      channel.on('gap', (gap) => {
        // There is less history than was wished for; nothing is lost that we should have had.
        const { epoch, offset = -1 } = this.#wished ?? {};
        const wished = gap.position?.epoch === epoch && Number(gap.to) <= offset;
        if (gap.reason === 'evicted' && wished) return;
        this.#position = gap.position ?? this.#position;
        listener.gap?.(gap);
      }),
      channel.on('error', (error) => {
        // A message that could not be read; what the server refuses has no cause.
        if (error.code === 'schema' || error.cause !== undefined) {
          listener.error?.(error, true);
        } else {
          this.#connection = -1;
          this.#refusal = error;
          status();
        }
      }),
    ];
    this.#join(listener, leaves);
    status();
    return () => {
      this.#forward(channel.cursor);
      for (const leave of leaves) leave();
      this.#attached = false;
      this.#connection = -1;
      this.#refusal = undefined;
    };
  }

  #join(listener: FeedListener<Received<T, E>>, leaves: Unsubscribe[]): void {
    const { channel } = this;
    const { cursor } = channel;
    const { state } = this.#client.snapshot;
    if (cursor && !this.#position) {
      // The subscription is under way, so the last messages are behind a position before it.
      this.#wished = cursor;
      this.#position = { ...cursor, offset: Math.max(0, cursor.offset - this.#rewind) };
    }
    const since = this.#position;
    const there = since?.epoch === cursor?.epoch && since?.offset === cursor?.offset;
    try {
      const leave = channel.subscribe(
        (message) => {
          const { epoch, offset } = message;
          if (epoch !== undefined) this.#position = { epoch, offset };
          listener.message(message);
        },
        since && !there ? { since } : {},
      );
      leaves.push(leave);
    } catch (cause) {
      // Other options than those in use. It is a mistake in the program, but not worth a crash.
      this.#refusal = cause as AnywireError;
      return;
    }
    // Others have subscribed before, so perhaps nobody will tell us.
    if (cursor && state === 'open') this.#begun();
  }

  #begun(): void {
    this.#connection = this.#client.snapshot.opens;
    this.#wasLive = true;
    this.#refusal = undefined;
  }

  /** Never back: a subscription may be made anew further behind, for the sake of others. */
  #forward(position: Position | undefined): void {
    const now = this.#position;
    if (position && !(now?.epoch === position.epoch && now.offset > position.offset)) {
      this.#position = position;
    }
  }
}
