// Publishers and subscribers that live through many lives of a server: they attach to each one
// anew, go on where they were, and tell the ledger all they are told.
import { decode, encode } from '@msgpack/msgpack';
import WebSocket from 'ws';

class Actor {
  #socket = undefined;
  #ids = 0;
  #replies = new Map();

  constructor(ledger, format) {
    this.ledger = ledger;
    this.format = format;
  }

  /** What went wrong, if anything has; thrown by whoever runs the trials. */
  fault = undefined;

  get attached() {
    return this.#socket !== undefined;
  }

  /** Connects; what the actor says first goes out in the same frame as `connect`. */
  attach(server) {
    const socket = new WebSocket(server.url('/anywire'), `anywire.v1.${this.format}`,
      { perMessageDeflate: false });
    this.#socket = socket;
    this.#replies.clear();
    // The server may die at any moment.
    socket.on('error', () => {});
    socket.on('open', () => {
      if (socket !== this.#socket) return;
      this.#frame = [];
      this.ask('connect', {}, ({ type }) => {
        if (type !== 'connected') throw new Error(`connect was answered by ${type}`);
      });
      this.begin();
      const frame = this.#frame;
      this.#frame = undefined;
      this.#send(frame);
    });
    socket.on('message', (data, binary) => {
      if (socket !== this.#socket || this.fault) return;
      try {
        const frame = binary ? decode(data) : JSON.parse(data);
        for (const message of Array.isArray(frame) ? frame : [frame]) this.#take(message);
      } catch (error) {
        this.fault = error;
      }
    });
  }

  detach() {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.terminate();
  }

  ask(type, members, reply) {
    const id = ++this.#ids;
    this.#replies.set(id, reply);
    const message = { type, id, ...members };
    if (this.#frame) this.#frame.push(message);
    else this.#send(message);
  }

  #frame = undefined;

  #send(frame) {
    this.#socket.send(this.format === 'json' ? JSON.stringify(frame) : encode(frame));
  }

  #take(message) {
    const answers = message.id !== undefined && message.type !== 'message';
    if (!answers) return this.pushed(message);
    const reply = this.#replies.get(message.id);
    this.#replies.delete(message.id);
    reply(message);
  }
}

/** Publishes to one channel, `width` messages at a time; repeats what got no answer. */
export class Publisher extends Actor {
  #unanswered = new Map();
  #number = 0;
  retried = 0;
  width = 4;

  constructor(ledger, format, name, channel) {
    super(ledger, format);
    Object.assign(this, { name, channel });
  }

  get waiting() {
    return this.#unanswered.size;
  }

  begin() {
    for (const [key, data] of this.#unanswered) {
      this.retried += 1;
      this.#publish(key, data);
    }
    this.#more();
  }

  #more() {
    while (this.#unanswered.size < this.width) {
      const key = `${this.name}-${++this.#number}`;
      const data = { key, fill: 'x'.repeat(this.#number % 300) };
      this.#unanswered.set(key, data);
      this.#publish(key, data);
    }
  }

  #publish(key, data) {
    const { channel } = this;
    this.ask('publish', { channel, data, idempotencyKey: key }, (reply) => {
      if (reply.type !== 'published') this.ledger.refused(channel, reply);
      this.ledger.published(channel, key, reply);
      this.#unanswered.delete(key);
      this.#more();
    });
  }

  pushed(message) {
    this.ledger.refused(this.channel, message);
  }
}

/** Follows channels from where it was. */
export class Subscriber extends Actor {
  /** By channel; `from` begins a channel in the past. */
  cursors = new Map();
  recoveries = 0;

  constructor(ledger, format, channels, from) {
    super(ledger, format);
    this.channels = channels;
    for (const [channel, cursor] of from ?? []) this.cursors.set(channel, cursor);
  }

  begin() {
    for (const channel of this.channels) {
      const since = this.cursors.get(channel);
      const before = this.ledger.top(channel);
      this.ask('subscribe', { channel, ...(since && { since }) }, (reply) => {
        if (reply.type !== 'subscribed') this.ledger.refused(channel, reply);
        this.cursors.set(channel, this.ledger.subscribed(channel, { since, before }, reply));
        if (since) this.recoveries += 1;
      });
    }
  }

  pushed(message) {
    const { type, channel } = message;
    if (type !== 'message') return this.ledger.refused(channel, message);
    this.ledger.delivered(channel, this.cursors.get(channel),
      { offset: message.offset, key: message.data.key });
  }

  /** Has everything anybody was told of. */
  get upToDate() {
    return this.channels.every(
      (channel) => this.cursors.get(channel)?.offset === this.ledger.top(channel));
  }
}
