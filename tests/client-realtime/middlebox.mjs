// What stands between an office and the internet: a TCP proxy that looks at the requests passing
// through and blocks what it does not know, in the ways real ones do.
//
//   websocket   what becomes of upgrades: `pass`; `forbidden` (403); `bad-gateway` (502); `silent`
//               (never answered); `reset` (cut after the 101); `mute` (101, then nothing passes);
//               `deaf` (101, then nothing passes to the client)
//   events      what becomes of event streams: `pass`; `buffered` (the answer is kept until it ends);
//               `deaf` (nothing passes behind the first event)
//   polls       what becomes of the answers to polls: `pass`, `deaf`
//
// All may be changed at any time and count for requests from then on. It looks at the first bytes of
// each chunk only, which is where clients that wait for answers begin their requests.
import net from 'node:net';

const kRequest = /^(GET|POST|OPTIONS|HEAD) (\S+) HTTP\/1\.1\r\n/;

class Link {
  blocked; // what has been done to this link
  held = [];

  constructor(box, client, server) {
    this.box = box;
    this.client = client;
    this.server = server;
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on('error', () => this.cut());
      socket.on('close', () => this.cut());
    }
    client.on('data', (chunk) => this.#fromClient(chunk));
    server.on('data', (chunk) => this.#fromServer(chunk));
    server.on('end', () => this.#serverEnds());
    client.on('end', () => !server.destroyed && server.end());
  }

  cut() {
    this.client.destroy();
    this.server.destroy();
    this.box.links.delete(this);
  }

  #fromClient(chunk) {
    const text = chunk.toString('latin1');
    const request = kRequest.exec(text);
    if (request) {
      const upgrade = /\r\nupgrade: websocket\r\n/i.test(text);
      this.box.seen.push({ path: request[2], upgrade });
      if (upgrade) return this.#upgrade(chunk);
      if (request[2].endsWith('/sse')) this.blocked = this.box.events;
      else this.blocked = request[2].endsWith('/poll') ? this.box.polls : 'pass';
      this.open = this.blocked === 'deaf' && request[2].endsWith('/poll');
    }
    if (this.blocked === 'silent' || (this.blocked === 'mute' && this.open)) return;
    this.server.write(chunk);
  }

  #upgrade(chunk) {
    this.blocked = this.box.websocket;
    if (this.blocked === 'forbidden') return this.#refuse('403 Forbidden');
    if (this.blocked === 'bad-gateway') return this.#refuse('502 Bad Gateway');
    if (this.blocked !== 'silent') this.server.write(chunk);
  }

  #refuse(status) {
    const page = '<html><body>This site is blocked.</body></html>';
    this.client.end(`HTTP/1.1 ${status}\r\nContent-Type: text/html\r\n` +
      `Content-Length: ${page.length}\r\nConnection: close\r\n\r\n${page}`);
    this.server.destroy();
  }

  #fromServer(chunk) {
    if (this.blocked === 'buffered') return void this.held.push(chunk);
    if (this.blocked === 'reset') {
      return void this.client.write(chunk, () => this.client.resetAndDestroy());
    }
    if (this.blocked === 'mute' || this.blocked === 'deaf') {
      if (this.open) {
        this.box.swallowed += chunk.length;
        return;
      }
      this.open = true;
    }
    if (!this.client.destroyed) this.client.write(chunk);
  }

  #serverEnds() {
    for (const chunk of this.held.splice(0)) this.client.write(chunk);
    if (this.blocked !== 'mute' && this.blocked !== 'deaf') this.client.end();
  }
}

export class Middlebox {
  websocket = 'pass';
  events = 'pass';
  polls = 'pass';
  /** Bytes from the server that clients never got. */
  swallowed = 0;
  /** The requests so far. */
  seen = [];
  links = new Set();
  #server;

  /** `target` is `{ host, port }`. */
  static async start(target) {
    const box = new Middlebox();
    box.#server = net.createServer({ allowHalfOpen: true }, (client) => {
      const server = net.connect({ ...target, allowHalfOpen: true });
      box.links.add(new Link(box, client, server));
    });
    await new Promise((resolve, reject) => {
      box.#server.once('error', reject);
      box.#server.listen(0, '127.0.0.1', resolve);
    });
    return box;
  }

  get port() {
    return this.#server.address().port;
  }

  url(path, scheme = 'http') {
    return `${scheme}://127.0.0.1:${this.port}${path}`;
  }

  /** How often a WebSocket was asked for. */
  get upgrades() {
    return this.seen.filter(({ upgrade }) => upgrade).length;
  }

  /** Whether the server is heard over new connections; that they open is. */
  deafen(on) {
    this.websocket = this.events = this.polls = on ? 'deaf' : 'pass';
  }

  cut() {
    for (const link of [...this.links]) link.cut();
  }

  async stop() {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
