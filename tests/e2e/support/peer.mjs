// Another client of the native protocol, written down again from docs/protocol.md: what browsers
// are told is compared with what this one said and heard.
import { WebSocket } from 'ws';
import { until } from './poll.mjs';

const kBatch = 100;
const kBufferedMax = 256 * 1024;

export class Peer {
  /** Messages of channels it has subscribed to. */
  messages = [];
  /** All pushes that are not messages. */
  pushes = [];
  #waiting = new Map();
  #id = 0;

  /** Resolves when the server has answered `connect`. Leaves at the end of the test. */
  static async join(t, server, connect = {}) {
    const peer = new Peer();
    peer.ws = new WebSocket(server.url('/anywire'), 'anywire.v1.json');
    peer.ws.on('error', () => undefined);
    peer.ws.on('message', (data) => peer.#receive(JSON.parse(data)));
    t.after(() => peer.ws.terminate());
    await until('the peer is open', () => peer.ws.readyState === WebSocket.OPEN);
    peer.connected = await peer.ask({ type: 'connect', ...connect });
    return peer;
  }

  #receive(frame) {
    for (const message of [frame].flat()) {
      if (typeof message.id === 'number') {
        this.#waiting.get(message.id)?.(message);
        this.#waiting.delete(message.id);
      } else if (message.type === 'message') this.messages.push(message);
      else this.pushes.push(message);
    }
  }

  /** The answer to a command; an `error` is thrown. */
  async ask(command) {
    const id = ++this.#id;
    const answer = new Promise((resolve) => this.#waiting.set(id, resolve));
    this.ws.send(JSON.stringify({ ...command, id }));
    const reply = await answer;
    if (reply.type === 'error') throw Object.assign(new Error(reply.message), reply);
    return reply;
  }

  subscribe(channel, more = {}) {
    return this.ask({ type: 'subscribe', channel, ...more });
  }

  publish(channel, data, more = {}) {
    return this.ask({ type: 'publish', channel, data, ...more });
  }

  /** Publishes `{ n }` for `from` up to, not including, `to`; resolves when all are ordered. */
  async count(channel, from, to, pad = '') {
    for (let n = from; n < to; ) {
      const batch = [];
      for (; n < to && batch.length < kBatch; n++) {
        batch.push({ type: 'publish', channel, data: pad ? { n, pad } : { n } });
      }
      // The last of a batch is answered, and the answers come in the order of publishing.
      const last = batch.at(-1);
      const id = ++this.#id;
      last.id = id;
      const answer = new Promise((resolve) => this.#waiting.set(id, resolve));
      this.ws.send(JSON.stringify(batch));
      if (n >= to) await answer;
      while (this.ws.bufferedAmount > kBufferedMax) await new Promise((go) => setImmediate(go));
    }
  }

  /** The whole history of a channel, oldest first, as messages. */
  async history(channel) {
    const all = [];
    for (let after = 0; ; ) {
      const page = await this.ask({ type: 'history', channel, after, limit: 1000 });
      all.push(...page.messages);
      if (!page.more) return all;
      after = page.messages.at(-1).offset;
    }
  }

  untilMessages(what, holds, options) {
    return until(what, () => holds(this.messages) && this.messages, options);
  }

  leave() {
    this.ws.close();
  }
}
