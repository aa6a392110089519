// A small client of anywire.v1 for tests: what docs/protocol.md says, and nothing of our packages.
import { createHmac } from 'node:crypto';
import { decode, encode } from '@msgpack/msgpack';
import WebSocket from 'ws';
import { within } from '../support/poll.mjs';

export const kSecret = '0123456789abcdef0123456789abcdef';

const base64url = (value) => Buffer.from(value).toString('base64url');

/** A token over `claims`, signed with HS256. */
export function token(claims, secret = kSecret) {
  const input = `${base64url('{"alg":"HS256","typ":"JWT"}')}.${base64url(JSON.stringify(claims))}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

export class Client {
  #ids = 0;
  #pushes = [];
  #waiting = [];
  #replies = new Map();
  /** Takes all pushes from then on, instead of `next`. */
  onPush = undefined;

  constructor(socket, format) {
    this.socket = socket;
    this.format = format;
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    socket.on('error', () => {});
    socket.on('message', (data, binary) => {
      if (binary !== (format === 'msgpack')) throw new Error('a frame of the wrong kind');
      const frame = binary ? decode(data) : JSON.parse(data);
      for (const message of Array.isArray(frame) ? frame : [frame]) this.#take(message);
    });
  }

  static async open(server, { format = 'json', ...options } = {}) {
    const socket = new WebSocket(server.url('/anywire'), `anywire.v1.${format}`, {
      rejectUnauthorized: false, ...options });
    const client = new Client(socket, format);
    await within('the upgrade', new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    }));
    return client;
  }

  /** Opens and connects; `connected` is the answer. */
  static async connect(server, connect = {}, options = {}) {
    const client = await Client.open(server, options);
    client.connected = await client.ask('connect', connect);
    return client;
  }

  send(frame) {
    this.socket.send(this.format === 'json' ? JSON.stringify(frame) : encode(frame));
  }

  /** Sends a command and resolves with its reply, whatever that is. */
  ask(type, members = {}) {
    const id = ++this.#ids;
    const reply = new Promise((resolve) => this.#replies.set(id, resolve));
    this.send({ type, id, ...members });
    return within(`the reply to ${type}`, reply);
  }

  /** The next push. */
  next(what = 'a push') {
    if (this.#pushes.length > 0) return Promise.resolve(this.#pushes.shift());
    return within(what, new Promise((resolve) => this.#waiting.push(resolve)));
  }

  get unread() {
    return this.#pushes.length;
  }

  #take(message) {
    const reply = this.#replies.get(message.id);
    if (reply && message.type !== 'message') {
      this.#replies.delete(message.id);
      reply(message);
    } else if (this.onPush) {
      this.onPush(message);
    } else if (this.#waiting.length > 0) {
      this.#waiting.shift()(message);
    } else {
      this.#pushes.push(message);
    }
  }
}
