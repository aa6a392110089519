// What section 9 of docs/protocol.md describes, spoken by hand: requests of which every header can be
// chosen, an event stream read line by line, a stream that is polled.
import http from 'node:http';
import https from 'node:https';
import { within } from '../support/poll.mjs';

const client = (server) => (server.secure ? https : http);

/** One request on a connection of its own; resolves when the head of the answer is there. */
function begin(server, method, path, { headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const request = client(server).request(server.url(`/anywire${path}`, 'http'), {
      method, agent: false, rejectUnauthorized: false,
      headers: { ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }), ...headers },
    });
    request.on('response', (response) => resolve({ request, response }));
    request.on('error', reject);
    request.end(body);
  });
}

/** The whole answer: `status`, `headers`, `text`, and `json` where it is any. */
export function ask(server, method, path, options = {}) {
  const read = async () => {
    const { request, response } = await begin(server, method, path, options);
    let text = '';
    response.setEncoding('utf8');
    for await (const chunk of response) text += chunk;
    request.destroy();
    const json = /json/.test(response.headers['content-type'] ?? '') ? JSON.parse(text) : undefined;
    return { status: response.statusCode, headers: response.headers, text, json };
  };
  return within(`the answer to ${method} ${path}`, read(), options.deadlineMs ?? 10_000);
}

export const post = (server, path, value, options = {}) =>
  ask(server, 'POST', path, {
    ...options,
    headers: { 'content-type': 'application/json', ...options.headers },
    body: typeof value === 'string' ? value : JSON.stringify(value),
  });

/** An event stream. `events` are `{ name, data }`; comments are counted. */
export class Events {
  events = [];
  comments = 0;
  ended = false;
  #waiting = [];
  #rest = '';

  static async open(server, options) {
    const { request, response } = await begin(server, 'GET', '/sse', options);
    const events = new Events();
    Object.assign(events, { request, response, server });
    events.status = response.statusCode;
    response.setEncoding('utf8');
    response.on('data', (chunk) => events.#take(chunk));
    const end = () => {
      events.ended = true;
      events.#wake();
    };
    response.on('end', end);
    response.on('error', end);
    response.on('close', end);
    request.on('error', end);
    if (events.status === 200) {
      const open = await events.next();
      events.id = JSON.parse(open.data).stream;
      events.first = open;
    }
    return events;
  }

  /** Opens one and connects; `connected` is the answer. */
  static async connect(server, connect = {}, options = {}) {
    const events = await Events.open(server, options);
    await events.send([{ type: 'connect', id: 1, ...connect }]);
    [events.connected] = await events.messages();
    return events;
  }

  /** The next event, or undefined when there is none any more. */
  next(deadlineMs) {
    if (this.events.length > 0 || this.ended) return Promise.resolve(this.events.shift());
    return within('an event', new Promise((resolve) => this.#waiting.push(resolve)), deadlineMs);
  }

  /** The messages of the next event. */
  async messages() {
    const event = await this.next();
    const frame = JSON.parse(event.data);
    return Array.isArray(frame) ? frame : [frame];
  }

  send(messages, options) {
    return post(this.server, '/send', { stream: this.id, messages }, options);
  }

  destroy() {
    this.request.destroy();
  }

  #take(chunk) {
    const blocks = (this.#rest + chunk).split('\n\n');
    this.#rest = blocks.pop();
    for (const block of blocks) {
      if (block.startsWith(':')) {
        this.comments++;
        continue;
      }
      const event = { name: '', data: '' };
      for (const line of block.split('\n')) {
        const [, field, value] = /^(\w+): ([^]*)$/.exec(line);
        if (field === 'event') event.name = value;
        else if (field === 'data') event.data += value;
        else throw new Error(`a field that is not described: ${line}`);
      }
      this.events.push(event);
    }
    this.#wake();
  }

  #wake() {
    while (this.#waiting.length > 0 && (this.events.length > 0 || this.ended)) {
      this.#waiting.shift()(this.events.shift());
    }
  }
}

/** A stream that is polled; `seq` and `messages` of the last answer. */
export class Polled {
  constructor(server) {
    this.server = server;
  }

  static async connect(server, connect = {}, options = {}) {
    const polled = new Polled(server);
    const messages = [{ type: 'connect', id: 1, ...connect }];
    polled.answer = await post(server, '/poll', { messages }, options);
    polled.id = polled.answer.json.stream;
    [polled.connected] = polled.answer.json.messages;
    polled.seq = polled.answer.json.seq;
    return polled;
  }

  /** Asks for what is behind `ack`; the whole answer. */
  poll(ack = this.seq, options) {
    return post(this.server, '/poll', { stream: this.id, ack }, options);
  }

  /** The next answer with messages, acknowledged by the one behind it. */
  async next(options) {
    const { json } = await this.poll(this.seq, options);
    this.seq = json.seq;
    return json;
  }

  send(messages, options) {
    return post(this.server, '/send', { stream: this.id, messages }, options);
  }
}
