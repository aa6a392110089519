import {
  AnywireError,
  type ChannelRef,
  type Client,
  type NoEvents,
  type Position,
  type Published,
  type PublishOptions,
  type Received,
} from '@anywire/client';
import type { PreloadedHistory } from './boundary';
import type { Publish } from './channel-view';
import { type HistoryState, HistoryView, type UseHistoryOptions } from './history-view';
import { Source } from './source';

/**
 * A message of the list. One of our own that the server has not confirmed yet is `pending`, one
 * that it refused or that timed out has `failed`; both have the offset Infinity until it is known,
 * and stand at the end.
 */
export type OptimisticMessage<M> = M & {
  /** Of this row in this list, also before and after it is confirmed: React's `key`. */
  readonly key: string;
  readonly pending?: true;
  readonly failed?: AnywireError;
};

/** What `useOptimisticPublish` returns: history, and behind it what is on its way there. */
export interface OptimisticState<M = unknown, In = unknown, E = NoEvents>
  extends Omit<HistoryState<M>, 'messages'> {
  /** As in `useHistory`; then one's own that are pending or have failed, at most 1000, in order. */
  readonly messages: readonly OptimisticMessage<M>[];
  /**
   * Shows the message at once and publishes it. Its `messageId`, made here unless given, is its
   * idempotency key as well: it is in the list once and published once, whatever happens. What it
   * rejects with is on the message as `failed`, too.
   */
  readonly publish: Publish<In, E>;
  /** Publishes a failed message again, by its `key`. It is never there twice. */
  readonly retry: (key: string) => Promise<Published | undefined>;
  /** Takes a failed or pending message off the list. One that was published comes as any other. */
  readonly discard: (key: string) => void;
}

/** Most messages that are pending or have failed; the application retries or discards them. */
const rowsMax = 1000;
/** Own messages that keep the key they had; those before are keyed by where they are. */
const keysMax = 1000;

interface Row<M> {
  readonly data: unknown;
  readonly options: PublishOptions;
  message: OptimisticMessage<M>;
  /** Where it is, once the server has said so. */
  position?: Position;
  /** The attempt under way; answers to an earlier one count only if they are good. */
  attempt: object;
}

/** What one `useOptimisticPublish` sees: history, and behind it what is on its way there. */
export class OptimisticView<T, I, In, E> extends Source<OptimisticState<Received<T, E>, In, E>> {
  readonly #client: Client;
  readonly #target: string | ChannelRef<T, I, In, E> | undefined;
  readonly #history: HistoryView<T, I, In, E>;
  /** By message id, which is the key of the row. */
  readonly #rows = new Map<string, Row<Received<T, E>>>();
  /** Where own messages went; there they keep the key that they had while they were pending. */
  readonly #keys = new Map<string, string>();
  /** Of the live end, and the one before it. */
  #epoch: string | undefined;
  #formerEpoch: string | undefined;
  readonly #keyed = new WeakMap<object, OptimisticMessage<Received<T, E>>>();

  constructor(
    client: Client,
    target: string | ChannelRef<T, I, In, E> | undefined,
    options: UseHistoryOptions<Received<T, E>>,
    initial: PreloadedHistory<Received<T, E>> | undefined,
  ) {
    super();
    this.#client = client;
    this.#target = target;
    this.#history = new HistoryView(client, target, options, initial);
    this.#history.subscribe(() => {
      this.#dropLost();
      this.#dropArrived();
      this.changed();
    });
  }

  update(options: UseHistoryOptions<Received<T, E>>): void {
    this.#history.update(options);
  }

  attach(): () => void {
    return this.#history.attach();
  }

  protected take(): OptimisticState<Received<T, E>, In, E> {
    const history = this.#history.getSnapshot();
    const rows = [...this.#rows.values()].map(({ message }) => message);
    const arrived = history.messages.map((message) => this.#withKey(message));
    return {
      ...history,
      messages: rows.length > 0 ? [...arrived, ...rows] : arrived,
      publish: this.#publish,
      retry: this.#retry,
      discard: this.#discard,
    };
  }

  /** The same object for the same message, so that rows may be memoized. */
  #withKey(message: Received<T, E>): OptimisticMessage<Received<T, E>> {
    let keyed = this.#keyed.get(message);
    if (!keyed) {
      const place = placeOf(message);
      keyed = { ...message, key: this.#keys.get(place) ?? place };
      this.#keyed.set(message, keyed);
    }
    return keyed;
  }

  readonly #publish: Publish<In, E> = (data, options = {}) => {
    const id = options.messageId ?? options.idempotencyKey ?? newId();
    const keyed = { idempotencyKey: id, ...options, messageId: id };
    const published = this.#begin(id, data, keyed);
    published.catch(() => {});
    return published;
  };

  async #begin(id: string, data: unknown, options: PublishOptions): Promise<Published> {
    let message: OptimisticMessage<Received<T, E>>;
    try {
      if (this.#rows.size >= rowsMax) {
        throw new AnywireError('queue_full', 'Too many messages are pending or have failed');
      }
      message = this.#draft(id, data, options);
    } catch (error) {
      // There is nothing to show of what there is no room for, or what the contract does not allow.
      this.#history.fail(error as AnywireError);
      throw error;
    }
    const row: Row<Received<T, E>> = { data, options, message, attempt: {} };
    this.#rows.set(id, row);
    void this.#history.getSnapshot().toLive();
    return this.#send(id, row, options);
  }

  readonly #retry = (id: string): Promise<Published | undefined> => {
    const row = this.#rows.get(id);
    if (!row?.message.failed) return Promise.resolve(undefined);
    // A signal that ended the first attempt would end this one, too.
    const { signal: _, ...options } = row.options;
    const published = this.#send(id, row, options);
    published.catch(() => {});
    return published;
  };

  readonly #discard = (id: string): void => {
    if (this.#rows.delete(id)) this.changed();
  };

  async #send(id: string, row: Row<Received<T, E>>, options: PublishOptions): Promise<Published> {
    const attempt = {};
    row.attempt = attempt;
    const { failed: _, ...rest } = row.message;
    row.message = { ...rest, pending: true } as OptimisticMessage<Received<T, E>>;
    this.changed();
    try {
      const { channel } = this.#history;
      if (!channel) throw new AnywireError('no_channel', 'There is no channel');
      const published = await channel.publish(row.data as never, options as never);
      this.#confirmed(id, row, published);
      return published;
    } catch (error) {
      if (row.attempt === attempt && !row.position) {
        const { pending: _, ...rest } = row.message;
        row.message = { ...rest, failed: error } as OptimisticMessage<Received<T, E>>;
        this.changed();
      }
      throw error;
    }
  }

  /** Where the stream has begun anew, what it had confirmed before is no longer on its way. */
  #dropLost(): void {
    const epoch = this.#history.position?.epoch;
    if (epoch === this.#epoch) return;
    this.#formerEpoch = this.#epoch;
    this.#epoch = epoch;
    for (const [id, { position }] of this.#rows) {
      if (position && position.epoch !== epoch) this.#rows.delete(id);
    }
  }

  #confirmed(id: string, row: Row<Received<T, E>>, published: Published): void {
    const { epoch, offset, duplicate } = published;
    this.#dropLost();
    row.position = { epoch, offset };
    const { pending: _, failed: __, ...rest } = row.message;
    row.message = { ...rest, epoch, offset } as OptimisticMessage<Received<T, E>>;
    if (this.#rows.get(id) !== row) return;
    // A key may outlive its stream: the message was published, and is no longer there.
    const lost = epoch === this.#formerEpoch || (duplicate && epoch !== this.#epoch);
    // The application may also have taken it without publishing it.
    if (offset === 0 || (lost && this.#epoch !== undefined)) this.#rows.delete(id);
    this.#dropArrived();
    this.changed();
  }

  /** What the list has, or has gone past, is no longer on its way. */
  #dropArrived(): void {
    if (this.#rows.size === 0) return;
    const { messages } = this.#history.getSnapshot();
    // The first of those that claim the same id: whoever repeats ours has seen it.
    const arrived = new Map(messages.map((message) => [message.id, message] as const).reverse());
    const epochs = new Set(messages.map(({ epoch }) => epoch));
    const last = messages.at(-1);
    for (const [id, { position }] of this.#rows) {
      const past =
        position &&
        last &&
        (position.epoch === last.epoch
          ? position.offset <= last.offset
          : epochs.has(position.epoch));
      const place = arrived.get(id) ?? position;
      if (!arrived.has(id) && !past) continue;
      this.#rows.delete(id);
      if (place) this.#keys.set(placeOf(place), id);
      const [oldest] = this.#keys.keys();
      if (this.#keys.size > keysMax) this.#keys.delete(oldest as string);
    }
  }

  /** The message as it will probably come back. */
  #draft(id: string, data: unknown, options: PublishOptions): OptimisticMessage<Received<T, E>> {
    const target = this.#target;
    const check = typeof target === 'object' ? target.check : undefined;
    const { event, tags } = options;
    const { clientId, user } = this.#client.snapshot;
    const binary = data instanceof ArrayBuffer || ArrayBuffer.isView(data);
    return {
      channel: typeof target === 'object' ? target.name : target,
      epoch: undefined,
      offset: Number.POSITIVE_INFINITY,
      time: Date.now(),
      data: check ? check.message(data, event) : data,
      kind: typeof data === 'string' ? 'text' : binary ? 'binary' : 'json',
      id,
      key: id,
      ...(event !== undefined && { event }),
      ...(tags && { tags }),
      ...(clientId !== undefined && { client: clientId }),
      ...(user !== undefined && { user }),
    } as unknown as OptimisticMessage<Received<T, E>>;
  }
}

function placeOf({ epoch, offset }: { epoch: string | undefined; offset: number }): string {
  return `${epoch}:${offset}`;
}

/** 96 bits of chance, where there are any to be had; pages without TLS have no `randomUUID`. */
function newId(): string {
  const bytes = new Uint8Array(12);
  const { crypto } = globalThis as { crypto?: Crypto };
  if (crypto) crypto.getRandomValues(bytes);
  else for (let i = 0; i < bytes.length; i++) bytes[i] = Math.random() * 256;
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
