import { Emitter } from '../emitter';
import type { Unsubscribe } from '../types';
import type { Channel } from './api';
import type { Core } from './client';
import { type AnywireError, fromWire } from './error';
import { type Room, toPosition } from './room';
import type {
  ChannelCheck,
  ChannelEvents,
  ChannelOptions,
  EventName,
  Message,
  Position,
  Publishable,
  Published,
  PublishOptions,
  Received,
  SubscribeOptions,
} from './types';

/** Listens to a channel or to a pattern, through the room that all who do so share. */
export class Feed<T, E> extends Emitter<ChannelEvents> {
  readonly name: string;
  readonly core: Core;
  readonly check: ChannelCheck | undefined;
  dropped = 0;
  readonly #kind: string;
  readonly #options: ChannelOptions;
  /** The message checked last, and what came of it, for all listeners to share. */
  #checked: readonly [Message, Message | undefined] | undefined;

  constructor(
    core: Core,
    kind: string,
    name: string,
    options: ChannelOptions,
    check?: ChannelCheck,
  ) {
    super();
    this.core = core;
    this.name = name;
    this.check = check;
    this.#kind = kind;
    this.#options = options;
  }

  /** The room, if there is one now. */
  get room(): Room | undefined {
    return this.core.rooms.get(this.#kind + this.name);
  }

  /** The room, made if there is none. Throws where the contract has no such channel. */
  enter(): Room {
    this.judged(() => this.check?.known?.());
    return this.core.room(this.#kind, this.name);
  }

  subscribe(
    listener: (message: Received<T, E>) => void,
    { since }: SubscribeOptions = {},
  ): Unsubscribe {
    const deliver = (message: Message) => {
      const checked = this.checked(message);
      if (checked) listener(checked as unknown as Received<T, E>);
    };
    const { rewind = 0 } = this.#options;
    const seat = { deliver, events: this, after: -1, rewind };
    const leave = this.enter().join(seat, this.#options, since);
    this.core.wake();
    return leave;
  }

  /** What the contract makes of a message; undefined, and an event, where it refuses it. */
  checked(message: Message): Message | undefined {
    const { check } = this;
    if (!check) return message;
    if (message !== this.#checked?.[0]) {
      let result: Message | undefined;
      try {
        const data = this.judged(() => check.message(message.data, message.event));
        result = { ...message, data };
      } catch (error) {
        this.dropped++;
        this.emit('error', error as AnywireError);
      }
      this.#checked = [message, result];
    }
    return this.#checked?.[1];
  }

  /** What a check gives; who looks into the client hears of what it refuses. */
  judged(check: () => unknown): unknown {
    try {
      return check();
    } catch (error) {
      this.core.heard?.(error as AnywireError);
      throw error;
    }
  }
}

/** Everything one can do with a channel. Light: it holds nothing on the server by itself. */
export class ChannelFeed<T, I, In, E> extends Feed<T, E> implements Channel<T, I, In, E> {
  declare readonly '~types'?: NonNullable<Channel<T, I, In, E>['~types']>;

  get cursor(): Position | undefined {
    return this.room?.cursor;
  }

  async publish<Name extends EventName<E> = never>(
    data: Publishable<In, E, Name>,
    options: PublishOptions<Name> = {},
  ): Promise<Published> {
    const { core, name: channel, check } = this;
    const { timeout, signal, idempotencyKey = core.newKey(), ...members } = options;
    const value = check ? this.judged(() => check.publish(data, options.event)) : data;
    const payload =
      typeof value === 'string'
        ? { text: value }
        : value instanceof ArrayBuffer
          ? { binary: new Uint8Array(value) }
          : ArrayBuffer.isView(value)
            ? { binary: new Uint8Array(value.buffer, value.byteOffset, value.byteLength) }
            : { data: value ?? null };
    const reply = await core.ask(
      { type: 'publish', channel, ...members, idempotencyKey, ...payload },
      { again: true, timeout, signal, channel },
    );
    const position = toPosition(reply);
    if (!position) throw fromWire(reply, channel, true);
    return { ...position, duplicate: reply.duplicate === true };
  }
}
