// A real `socket.io-client` that writes down what it is told. Acknowledgements have a log of their
// own: the protocol does not say where they fall among events of other origin.
import { io } from 'socket.io-client';
import { within } from '../../support/poll.mjs';
import { Actor } from './actor.mjs';
import { plain } from './values.mjs';

export class Socket extends Actor {
  /** Answers a `question`: with the arguments of its ack, or undefined for no ack at all. */
  answer = () => undefined;

  constructor(stage, name, namespace, { beside, ...options } = {}) {
    super(stage, name);
    this.namespace = namespace;
    this.acks = stage.logOf(`${name} acks`);
    const query = options.query;
    this.socket = beside
      ? beside.socket.io.socket(namespace, options)
      : io(stage.url + namespace, { forceNew: true, reconnection: false, autoConnect: false,
          transports: ['websocket'], ...options, query });
    this.#follow();
    stage.atEnd(() => {
      this.socket.disconnect();
      this.socket.io.engine?.close();
    });
  }

  #follow() {
    this.socket.on('connect', () => {
      this.stage.secrets.add(this.socket.id, 'socket');
      this.note(['connect', ...(this.stage.profile === 'recovery' ? [this.socket.recovered] : [])]);
    });
    this.socket.on('connect_error', ({ message, data }) =>
      this.note('connect_error', message, ...(data === undefined ? [] : [plain(data)])));
    this.socket.on('disconnect', (reason) => this.note('disconnect', reason));
    this.socket.onAny((...args) => {
      this.stage.learnOffset(args);
      this.stage.secrets.told(args[0], args[1]);
      this.note('event', ...args.map(plain));
    });
    this.socket.on('question', (...args) => {
      const ack = args.pop();
      const values = this.answer(...args);
      if (values !== undefined) ack(...values);
    });
  }

  /** Connects; resolves when the server has said yes or no. */
  async connect() {
    const before = this.log.length;
    const verdict = (entry) => ['connect', 'connect_error'].includes(entry[0]);
    this.socket.connect();
    await this.when('a verdict', (log) => log.slice(before).some(verdict));
    return this;
  }

  get id() {
    return this.socket.id;
  }

  emit(...args) {
    this.socket.emit(...args);
  }

  /** Emits with an ack, which is logged and returned (its arguments). */
  async ask(...args) {
    const values = await this.#request(args);
    this.stage.secrets.told(args[0], values[0]);
    this.acks.push([args[0], ...values.map(plain)]);
    return values;
  }

  #request(args) {
    const answered = new Promise((resolve) =>
      this.socket.emit(...args, (...values) => resolve(values)));
    return within(`${this.name}: the ack of ${args[0]}`, answered, 20_000);
  }

  /** Resolves once `count` events named `event` have come. */
  sees(event, count = 1) {
    return this.when(`${count} of ${event}`, (log) =>
      log.filter(([kind, name]) => kind === 'event' && name === event).length >= count);
  }

  ends() {
    return this.when('its end', (log) => log.some(([kind]) => kind === 'disconnect'));
  }

  /** There and back, unlogged: what was sent before has been dealt with. */
  async settle() {
    if (this.socket.connected) await this.#request(['echo']);
  }
}
