// A WebSocket that speaks Engine.IO packet by packet and writes down each that comes.
import WebSocket from 'ws';
import { within } from '../../support/poll.mjs';
import { Actor } from './actor.mjs';
import { answerOf } from './http.mjs';
import { packet, plain } from './values.mjs';

const kBarrier = '917';

export class Link extends Actor {
  #barriers = [];
  open = false;
  sid = undefined;

  /**
   * `query` replaces EIO=4&transport=websocket member by member; `quiet` answers pings, and leaves
   * them and the pongs out of the log.
   */
  constructor(stage, name, { query = {}, headers = {}, path = '/socket.io/', quiet = true,
    protocols, ...more } = {}) {
    super(stage, name);
    const all = { EIO: '4', transport: 'websocket', ...query };
    const given = Object.entries(all).filter(([, value]) => value !== undefined);
    const url = `${stage.url.replace('http', 'ws')}${path}?${new URLSearchParams(given)}`;
    this.quiet = quiet;
    this.socket = new WebSocket(url, protocols, { headers, perMessageDeflate: false, ...more });
    this.socket.on('open', () => (this.open = true));
    this.socket.on('message', (data, binary) => this.#take(data, binary));
    this.socket.on('close', (code) => this.open && this.note('close', code));
    this.socket.on('error', (error) => this.open && this.note('error', error.code ?? 'error'));
    this.started = new Promise((resolve) => {
      this.socket.once('open', resolve);
      this.socket.once('unexpected-response', (request, response) =>
        answerOf(response).then((answer) => this.note('refused', ...answer)).then(resolve));
      this.socket.once('error', () => resolve());
    });
    stage.atEnd(() => this.socket.terminate());
  }

  /** Opens it, and awaits the handshake's packet unless it is one of an upgrade. */
  static async start(stage, name, options = {}) {
    const link = new Link(stage, name, options);
    await within(`${name}: the upgrade`, link.started, 20_000);
    if (link.open && !options.query?.sid && options.greeted !== false) await link.until(1);
    return link;
  }

  #take(data, binary) {
    if (binary) return this.note(plain(data));
    const raw = data.toString();
    if (this.quiet && raw === '2') return this.send('3');
    if (this.#barriers.length > 0 && /^43(\/[^,]*,)?917\[/.test(raw)) {
      return this.#barriers.shift()();
    }
    this.stage.secrets.learn(raw);
    if (raw.startsWith('0{')) this.sid = JSON.parse(raw.slice(1)).sid;
    const connected = /^40(?:\/[^,]*,)?(\{.*)$/.exec(raw);
    if (connected) this.id = JSON.parse(connected[1]).sid;
    this.note(packet(this.#withoutOffset(raw)));
  }

  // Where recovery is on, the last argument of an event is its offset.
  #withoutOffset(raw) {
    const event = /^4[25]\d*-?(?:\/[^,]*,)?(\[.*)$/s.exec(raw);
    if (event) this.stage.learnOffset(JSON.parse(event[1]));
    return raw;
  }

  send(...frames) {
    for (const frame of frames) this.socket.send(frame, { binary: typeof frame !== 'string' });
  }

  /** Sends, and waits for `count` further entries. */
  async say(frames, count = 1) {
    const wanted = this.log.length + count;
    this.send(...[frames].flat());
    await this.until(wanted);
  }

  ends() {
    return this.when('its close', (log) => log.some((entry) => entry[0] === 'close'));
  }

  /** An `echo` with an ack in `namespace`, of which the log knows nothing. */
  settle(namespace = '/') {
    if (this.socket.readyState !== WebSocket.OPEN) return Promise.resolve();
    const answered = new Promise((resolve) => this.#barriers.push(resolve));
    this.send(`42${namespace === '/' ? '' : `${namespace},`}${kBarrier}["echo"]`);
    return within(`${this.name}: the barrier`, Promise.race([answered, this.ends()]), 20_000);
  }
}
