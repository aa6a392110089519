// What the tests of the HTTP API share: a server with keys, requests, and raw connections.
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { kSecret, token } from '../native/client.mjs';
import { within } from '../support/poll.mjs';
import { startServer } from '../support/server.mjs';

export { kSecret, token };

export const kOpen = JSON.stringify([
  { pattern: '*', subscribe: 'anyone', publish: 'capability', presence: true, history_messages: 1000,
    presence_access: 'anyone', history_access: 'anyone' },
]);

/** One server for the tests of a file; `flags` on top of the usual ones. */
export async function startApi({ flags = {}, ...options } = {}) {
  return startServer({
    conformance: false,
    loops: 2,
    flags: { 'auth.hs256_secret': kSecret, 'auth.anonymous': true, channels: kOpen, ...flags },
    ...options,
  });
}

export const basic = (key = '', secret = kSecret) =>
  `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}`;
const seconds = () => Math.floor(Date.now() / 1000);
export const bearer = (claims) =>
  `Bearer ${token({ iat: seconds(), exp: seconds() + 600, ...claims })}`;

/** A caller over one kept connection; `.call(...)` gives `{status, headers, body}`. */
export class Caller {
  constructor(server, { authorization = basic(), path = '/api/v1' } = {}) {
    this.server = server;
    this.authorization = authorization;
    this.path = path;
    this.agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  }

  async call(method, path, body, headers = {}) {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const request = http.request({
      host: this.server.host, port: this.server.port, agent: this.agent, method,
      path: this.path + path,
      headers: {
        ...(this.authorization && { Authorization: this.authorization }),
        ...(text !== undefined && {
          'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text),
        }),
        ...headers,
      },
    });
    request.end(text);
    const [response] = await within(`${method} ${path}`, once(request, 'response'), 15_000);
    let raw = '';
    response.setEncoding('utf8');
    for await (const chunk of response) raw += chunk;
    const json = response.headers['content-type'] === 'application/json' && raw !== '';
    return { status: response.statusCode, headers: response.headers, raw,
      body: json ? JSON.parse(raw) : raw };
  }

  post(path, body, headers) {
    return this.call('POST', path, body, headers);
  }

  get(path, query = {}) {
    const search = new URLSearchParams(query).toString();
    return this.call('GET', search ? `${path}?${search}` : path);
  }

  close() {
    this.agent.destroy();
  }
}

/** Sends bytes as they are and gives everything that comes until the server closes. */
export async function exchange(server, pieces) {
  const socket = net.connect(server.port, server.host);
  socket.on('error', () => {});
  let got = '';
  socket.setEncoding('latin1');
  socket.on('data', (chunk) => (got += chunk));
  await once(socket, 'connect');
  for (const piece of [pieces].flat()) socket.write(piece);
  await within('the end of the connection', once(socket, 'close'));
  return got;
}
