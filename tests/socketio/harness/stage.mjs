// What a case is given: a server of its profile, actors to speak to it, and their logs.
import { pause } from '../../support/poll.mjs';
import { Browser, Poll } from './http.mjs';
import { Link } from './link.mjs';
import { Socket } from './socket.mjs';
import { Secrets } from './values.mjs';

export class Stage {
  #logs = {};
  #ends = [];
  #sockets = [];
  secrets = new Secrets();

  /** `number` makes the names of rooms and namespaces this case's own. */
  constructor(server, profile, number) {
    this.server = server;
    this.url = server.url;
    this.profile = profile;
    this.number = number;
  }

  logOf(name) {
    return (this.#logs[name] ??= []);
  }

  atEnd(work) {
    this.#ends.push(work);
  }

  /** Where recovery is on, offsets end an event's arguments; texts of the cases start with "s:". */
  learnOffset(args) {
    const last = args.at(-1);
    if (this.profile !== 'recovery' || typeof last !== 'string' || last.startsWith('s:')) return;
    if (args.length > 1) this.secrets.add(last, 'offset');
  }

  /** A name that no other case uses; the log shows it as it was given. */
  room(name) {
    return `${name}~${this.number}~`;
  }

  get tag() {
    return `tag~${this.number}~`;
  }

  /** A namespace of the case's own; the log shows `/dyn-N`. */
  get space() {
    return `/dyn-${1000 + this.number}`;
  }

  /** A connected (or refused) client of `socket.io-client`. */
  async connect(name, namespace = '/', options = {}) {
    const socket = this.socket(name, namespace, options);
    return socket.connect();
  }

  /** The same, not yet connected. */
  socket(name, namespace = '/', options = {}) {
    const socket = new Socket(this, name, namespace, options);
    this.#sockets.push(socket);
    return socket;
  }

  link(name, options) {
    return Link.start(this, name, options);
  }

  poll(name, options) {
    return Poll.start(this, name, options);
  }

  http(name = 'http') {
    return new Browser(this, name);
  }

  /** A client in `namespace` that logs the end of every socket whose auth has this case's tag. */
  async watch(name = 'watcher', namespace = '/') {
    const watcher = await this.connect(name, namespace);
    await watcher.ask('watch', this.tag);
    return watcher;
  }

  /** All that clients have sent has been dealt with, and what it caused has come to them. */
  async settle() {
    for (let round = 0; round < 2; round++) {
      for (const socket of this.#sockets) await socket.settle();
    }
  }

  pause(ms) {
    return pause(ms);
  }

  /** Ends all; the log of each actor that has any. */
  async finish() {
    for (const end of this.#ends.reverse()) await end();
    const filled = Object.entries(this.#logs).filter(([, log]) => log.length > 0);
    return this.secrets.hide(Object.fromEntries(filled),
      [[`~${this.number}~`, ''], [this.space, '/dyn-N']]);
  }
}
