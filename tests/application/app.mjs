// A customer's application for tests: plain Node, as docs/hooks.md tells one to write it.
import { createHmac, timingSafeEqual } from 'node:crypto';
import http from 'node:http';
import http2 from 'node:http2';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { sharedCertificate } from '../support/server.mjs';

export const secret = 'an-application-secret-of-32-bytes!';

function genuine(headers, body, key) {
  const timestamp = headers['anywire-timestamp'] ?? '';
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > 300) return false;
  const expected = createHmac('sha256', key).update(`${timestamp}.${body}`).digest('hex');
  const given = Buffer.from(headers['anywire-signature'] ?? '');
  const wanted = Buffer.from(`v1=${expected}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

export class App {
  /** What it was asked, in order. */
  asked = [];
  sessions = 0;
  /** Answers a question with an object, a {status, body, headers}, or undefined for `{}`. */
  onHook = () => ({});

  constructor({ key = secret, tls = false } = {}) {
    const handle = (request, response) => this.#handle(request, response, key);
    this.server = tls
      ? http2.createSecureServer({ cert: readFileSync(sharedCertificate().certificate),
          key: readFileSync(sharedCertificate().key), allowHTTP1: true }, handle)
      : http.createServer(handle);
    this.server.on(tls ? 'session' : 'connection', () => (this.sessions += 1));
    this.open = new Set();
    this.server.on('connection', (socket) => {
      this.open.add(socket);
      socket.on('close', () => this.open.delete(socket));
    });
    this.tls = tls;
  }

  async listen(port = 0) {
    this.server.listen(port, this.tls ? 'localhost' : '127.0.0.1');
    await once(this.server, 'listening');
    this.port = this.server.address().port;
    return this;
  }

  get url() {
    return `http${this.tls ? 's://localhost' : '://127.0.0.1'}:${this.port}/api/anywire`;
  }

  async stop() {
    if (!this.server.listening) return;
    this.server.close();
    for (const socket of this.open) socket.destroy();
    await once(this.server, 'close');
  }

  asks(type) {
    return this.asked.filter((one) => one.type === type);
  }

  async #handle(request, response, key) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    if (!genuine(request.headers, body, key)) {
      response.writeHead(401).end();
      return;
    }
    const question = JSON.parse(body);
    this.asked.push({ ...question, headers: request.headers, version: request.httpVersion });
    const answer = (await this.onHook(question, response)) ?? {};
    if (response.writableEnded || response.destroyed) return;
    if (answer.status !== undefined) {
      response.writeHead(answer.status, answer.headers ?? {}).end(answer.body ?? '');
    } else {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer));
    }
  }
}

/** What the binary is started with to ask `app`. */
export function flagsFor(app, more = {}) {
  return {
    'auth.anonymous': true,
    'auth.hs256_secret': '0123456789abcdef0123456789abcdef',
    'auth.expiry_required': false,
    'app.url': app.url,
    'app.secret': secret,
    'app.hooks': '',
    channels: JSON.stringify([
      { pattern: 'asked:*', subscribe: 'anyone', publish: 'anyone', publish_hook: true },
      { pattern: 'private:*', subscribe: 'anyone', publish: 'anyone', subscribe_hook: true },
      { pattern: 'room:*', subscribe: 'anyone', publish: 'anyone', presence: true,
        presence_access: 'anyone', presence_grace: '0s' },
      { pattern: '*', subscribe: 'anyone', publish: 'anyone' },
    ]),
    ...more,
  };
}

export { sleep };
