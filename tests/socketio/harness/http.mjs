// Requests to Engine.IO that a case makes by hand, and a polling session made of them.
import http from 'node:http';
import { within } from '../../support/poll.mjs';
import { Actor } from './actor.mjs';
import { packet, packets } from './values.mjs';

const kShown = ['content-type', 'cache-control', 'set-cookie', 'vary', 'allow',
  'access-control-allow-origin', 'access-control-allow-methods', 'access-control-allow-headers',
  'access-control-allow-credentials', 'access-control-max-age'];

const tidy = (text) => `${text}`.toLowerCase().replace(/;\s*/g, '; ');

/** [status, headers that matter, body] of a response. */
export async function answerOf(response) {
  const chunks = [];
  for await (const chunk of response) chunks.push(chunk);
  const headers = kShown.filter((name) => response.headers[name] !== undefined)
    .map((name) => [name, name === 'set-cookie' ? response.headers[name] : tidy(response.headers[name])]);
  return [response.statusCode, Object.fromEntries(headers), Buffer.concat(chunks).toString()];
}

/** One request on a connection of its own; `started` is called once it is sent. */
export function request(url, method, { headers = {}, body, agent = false, onSent } = {}) {
  const answered = new Promise((resolve, reject) => {
    const sent = http.request(url, { method, headers, agent });
    sent.on('response', (response) => answerOf(response).then(resolve, reject));
    sent.on('error', reject);
    sent.on('finish', () => onSent?.(sent));
    sent.end(body);
  });
  return within(`${method} ${url}`, answered, 20_000);
}

/** Says what was asked with which answer, one entry a request. */
export class Browser extends Actor {
  /** `target` is a query as an object (joined to EIO=4&transport=polling), or a whole path. */
  async ask(method, target = {}, { only, ...options } = {}) {
    const path = typeof target === 'string' ? target : pathOf(target);
    const [status, headers, body] = await request(this.stage.url + path, method, options);
    const list = body.startsWith('0{') ? packets(body) : undefined;
    body.split('\x1e').forEach((raw) => this.stage.secrets.learn(raw));
    const shown = only ? Object.fromEntries(only.filter((name) => name in headers)
      .map((name) => [name, headers[name]])) : headers;
    this.note(method, status, shown, list ?? body);
    return { status, headers, body };
  }
}

export function pathOf(query = {}, path = '/socket.io/') {
  const all = { EIO: '4', transport: 'polling', ...query };
  const given = Object.entries(all).filter(([, value]) => value !== undefined);
  return `${path}?${new URLSearchParams(given)}`;
}

/** A session over polling. How packets fall into answers is not logged, only their order. */
export class Poll extends Actor {
  sid = undefined;

  constructor(stage, name, { query = {} } = {}) {
    super(stage, name);
    this.query = query;
  }

  static async start(stage, name, options = {}) {
    const poll = new Poll(stage, name, options);
    await poll.get();
    return poll;
  }

  get url() {
    return this.stage.url + pathOf({ ...this.query, sid: this.sid });
  }

  #take(body) {
    for (const raw of body.split('\x1e')) {
      this.stage.secrets.learn(raw);
      if (raw.startsWith('0{')) this.sid = JSON.parse(raw.slice(1)).sid;
      this.note(packet(raw));
    }
  }

  /** One GET: its packets are logged, or else its status and body. */
  async get(options) {
    const [status, , body] = await request(this.url, 'GET', options);
    if (status === 200) this.#take(body);
    else this.note('GET', status, body);
    return { status, body };
  }

  /** GETs until `count` packets more have come, or an answer is not 200. */
  async drain(count = 1) {
    const wanted = this.log.length + count;
    while (this.log.length < wanted) {
      if ((await this.get()).status !== 200) return;
    }
  }

  async post(body, { headers, ...options } = {}) {
    const [status, , text] = await request(this.url, 'POST', {
      headers: { 'content-type': 'text/plain;charset=UTF-8', ...headers },
      body: Array.isArray(body) ? body.join('\x1e') : body, ...options });
    this.note('POST', status, text);
    return { status, body: text };
  }

  /** A GET that waits at the server when this resolves; `answer` of the result is its answer. */
  async park() {
    let sent;
    let handle;
    const parked = new Promise((resolve) => (sent = resolve));
    const answer = request(this.url, 'GET', { onSent: (one) => ((handle = one), sent()) })
      .then(([status, , body]) => {
        if (status === 200) this.#take(body);
        else this.note('GET', status, body);
        return { status, body };
      });
    answer.catch(() => {});
    await parked;
    // Another request behind it: by its answer the first has most probably been read, too.
    await request(this.stage.url + pathOf({ sid: 'a-session-that-is-not-there' }), 'GET');
    return { answer, abort: () => handle.destroy() };
  }
}
