// A TCP proxy that misbehaves on request. It stands between a client and the server, so every fault
// of a real network can be had at a chosen moment: a cut, a stall, a link that swallows everything,
// a slow close. It also counts, which is how the tests know how many sockets a page really opened.
import net from 'node:net';
import { setTimeout as later } from 'node:timers';

/** One client's link through the proxy. */
class Link {
  openedAt = performance.now();
  toServer = { bytes: 0, held: [], paused: false };
  toClient = { bytes: 0, held: [], paused: false };
  closed = false;
  swallowing = false;
  answerDelayMs = undefined;

  constructor(proxy, client, upstream) {
    this.proxy = proxy;
    this.client = client;
    this.upstream = upstream;
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      socket.on('error', () => this.cut());
    }
    this.#pipe(client, upstream, this.toServer, () => this.proxy.requestDelayMs);
    this.#pipe(
      upstream,
      client,
      this.toClient,
      () => this.answerDelayMs ?? this.proxy.answerDelayMs,
    );
    client.on('close', () => this.#gone());
    upstream.on('close', () => !this.swallowing && this.#gone());
  }

  // All of one direction goes through one chain, the end included, so a delay never reorders.
  #pipe(from, to, side, delayMs) {
    let chain = Promise.resolve();
    const pass = (deliver) => {
      const ms = delayMs();
      const due = ms > 0 ? new Promise((resolve) => later(resolve, ms)) : undefined;
      chain = due ? chain.then(() => due).then(deliver) : chain.then(deliver);
    };
    from.on('data', (chunk) => {
      side.bytes += chunk.length;
      side.onNext?.(this.proxy.total);
      side.onNext = undefined;
      if (this.swallowing) return;
      pass(() => (side.paused ? side.held.push(chunk) : !to.destroyed && to.write(chunk)));
    });
    from.on('end', () => {
      if (!this.swallowing) pass(() => !to.destroyed && to.end());
    });
  }

  /** Resolves when the client next says anything, to the count of all links ever made by then. */
  asks() {
    return new Promise((resolve) => (this.toServer.onNext = resolve));
  }

  #gone() {
    if (this.closed) return;
    this.closed = true;
    this.proxy.links.delete(this);
    // What is still on its way to the other side arrives first, delays included.
    if (!this.answerDelayMs && !this.proxy.answerDelayMs) this.cut();
  }

  cut() {
    this.client.destroy();
    this.upstream.destroy();
    this.#gone();
  }
}

export class FaultProxy {
  /** Links ever made, and the moments they were made or refused, by performance.now(). */
  total = 0;
  attempts = [];
  links = new Set();
  refusing = false;
  requestDelayMs = 0;
  answerDelayMs = 0;
  #server;

  /** `target` is `{ host, port }` and may be replaced at any time; new links go there. */
  static async start(target, { port = 0 } = {}) {
    const proxy = new FaultProxy();
    proxy.target = target;
    proxy.#server = net.createServer({ allowHalfOpen: true }, (client) => proxy.#accept(client));
    await new Promise((resolve, reject) => {
      proxy.#server.once('error', reject);
      proxy.#server.listen(port, '127.0.0.1', resolve);
    });
    return proxy;
  }

  get port() {
    return this.#server.address().port;
  }

  url(path = '/') {
    return `ws://127.0.0.1:${this.port}${path}`;
  }

  get open() {
    return this.links.size;
  }

  #accept(client) {
    this.attempts.push(performance.now());
    client.on('error', () => undefined);
    if (this.refusing) {
      client.destroy();
      return;
    }
    this.total++;
    const upstream = net.connect({ ...this.target, allowHalfOpen: true });
    this.links.add(new Link(this, client, upstream));
  }

  /** Every link ends at once, as when a cable is pulled and the stack notices. */
  cut() {
    for (const link of [...this.links]) link.cut();
  }

  /** New links are reset on arrival: the server is not there. */
  refuse(on = true) {
    this.refusing = on;
  }

  /** The links of this moment stay open and nothing passes any more. New ones are fine. */
  swallow() {
    for (const link of this.links) link.swallowing = true;
  }

  /** What the server says is held back, and delivered in order by `resume()`. */
  stall() {
    for (const link of this.links) link.toClient.paused = true;
  }

  resume() {
    for (const link of this.links) {
      link.toClient.paused = false;
      for (const chunk of link.toClient.held.splice(0)) link.client.write(chunk);
    }
  }

  delay({ requestMs = 0, answerMs = 0 }) {
    this.requestDelayMs = requestMs;
    this.answerDelayMs = answerMs;
  }

  /** The links of this moment answer late from now on: their closing handshake takes `ms`. */
  slowClose(ms) {
    for (const link of this.links) link.answerDelayMs = ms;
  }

  /** Payload bytes that clients sent so far. */
  get bytesToServer() {
    let sum = 0;
    for (const link of this.links) sum += link.toServer.bytes;
    return sum;
  }

  async stop() {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
