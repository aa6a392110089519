import type { Clock } from '../types';
import type { Channel, Client } from './api';
import type { Call } from './calls';
import { ChannelFeed } from './channel';
import { Connection, closed } from './connection';
import type { AnywireError } from './error';
import { type CommandOptions, Outbox } from './outbox';
import { Room } from './room';
import type { ChannelOptions, ChannelRef, ClientOptions, NoEvents } from './types';
import type { Command, WireMessage } from './wire';

/**
 * What is behind a `Client`: it ties connection, outbox and rooms together. Functions over a client
 * know that there is one of these, which is how they get inside.
 */
export class Core extends Connection implements Client {
  /** By kind and name together. */
  readonly rooms: Map<string, Room> = new Map();
  readonly #outbox: Outbox = new Outbox(this);
  #keys = 0;
  #keyPrefix: string | undefined;

  get queued(): number {
    return this.#outbox.size;
  }

  channel<T = unknown, I = unknown, In = T, E = NoEvents>(
    target: string | ChannelRef<T, I, In, E>,
    options: ChannelOptions = {},
  ): Channel<T, I, In, E> {
    const { name, check } = typeof target === 'string' ? { name: target } : target;
    return new ChannelFeed(this, 'channel', name, options, check);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // ---- for channels, and for functions over clients and channels

  /** A command whose answer somebody waits for. */
  ask(message: Command, options: CommandOptions): Promise<WireMessage> {
    if (this.state === 'closed' || this.state === 'failed') return Promise.reject(closed());
    const answer = this.#outbox.add(message, options);
    this.wake();
    return answer;
  }

  /** Starts if it has never been started. */
  wake(): void {
    if (this.state === 'idle') this.start();
  }

  /** The room of a `channel` or `pattern`, made if there is none. */
  room(kind: string, name: string): Room {
    const room = this.rooms.get(kind + name) ?? new Room(this, kind, name);
    this.rooms.set(kind + name, room);
    return room;
  }

  /** Nobody needs this room any more. */
  retire(room: Room): void {
    const key = room.kind + room.name;
    if (this.rooms.get(key) === room) this.rooms.delete(key);
  }

  /** Keys of one client never repeat, and hardly those of two: 96 bits of chance. */
  newKey(): string {
    this.#keyPrefix ??= randomText(this.clock);
    return `${this.#keyPrefix}-${++this.#keys}`;
  }

  /** Brings a message to whom it is for. */
  deliver(message: WireMessage): void {
    this.rooms.get(`channel${message.channel}`)?.push(message);
  }

  // ---- for the connection

  hello(): readonly Call[] {
    return this.#all.flatMap((room) => room.hello());
  }

  joined(connected: WireMessage): void {
    for (const room of this.#all) {
      room.part?.up(connected);
      room.joined();
    }
    this.#outbox.flush();
  }

  parted(): void {
    for (const room of this.#all) room.down();
  }

  renewed(): void {
    for (const room of this.#all) room.retry();
  }

  push(message: WireMessage): void {
    const { type, channel, pattern } = message;
    if (type === 'message') this.deliver(message);
    else if (channel === undefined) this.rooms.get(`pattern${pattern}`)?.push(message);
    else if (type === 'subscribed') this.room('channel', String(channel)).push(message);
    else this.rooms.get(`channel${channel}`)?.push(message);
  }

  tooLarge(): void {
    this.#outbox.tooLarge();
  }

  bye(): void {
    for (const room of this.#all) room.part?.bye();
  }

  ended(error: AnywireError): void {
    this.#outbox.clear(error);
    for (const room of this.#all) room.ended(error);
  }

  /** A copy, for rooms may come and go meanwhile. */
  get #all(): readonly Room[] {
    return [...this.rooms.values()];
  }
}

/** Makes a client. Nothing happens until it is used. */
export function createClient(options: ClientOptions): Client {
  return new Core(options);
}

function randomText(clock: Clock): string {
  const bytes = new Uint8Array(12).map(() => clock.random() * 256);
  // Better chance, where there is any to be had.
  globalThis.crypto?.getRandomValues?.(bytes);
  return Array.from(bytes, (byte) => byte.toString(36).padStart(2, '0')).join('');
}
