// For the tests of Anywire in front of an application: the binary with an upstream of the test's
// own behind it, and clients that speak HTTP byte by byte.
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { startServer } from '../support/server.mjs';

/** An application's server; `sockets` are its connections, `requests` what it was asked. */
export async function startApp(handler, { upgrade, keepAliveTimeout = 60_000 } = {}) {
  const requests = [];
  const server = http.createServer({ keepAliveTimeout }, (request, response) => {
    requests.push(request);
    handler?.(request, response);
  });
  if (upgrade) server.on('upgrade', upgrade);
  return listening(server, { requests });
}

/** A server that says and does what the test wants, below HTTP. */
export async function startRawApp(onSocket) {
  return listening(
    net.createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => {});
      onSocket(socket);
    }),
    {},
  );
}

async function listening(server, app, port = 0) {
  const sockets = new Set();
  app.connections = 0;
  server.on('connection', (socket) => {
    app.connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  app.sockets = sockets;
  app.port = server.address().port;
  app.url = `http://127.0.0.1:${app.port}`;
  app.stop = async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, 'close');
  };
  return app;
}

/** The binary in front of `app`, gone at the end of the test `t`, as is the app. */
export async function startFront(t, app, flags = {}) {
  const server = await startServer({
    flags: { 'front.upstream': app.url, ...flags },
    conformance: false,
  });
  t.after(async () => {
    try {
      await server.stop({ deadlineMs: 20_000 });
    } finally {
      await app.stop?.();
    }
  });
  return server;
}

/** A port where nothing listens. */
export async function deadPort() {
  const server = net.createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** A client that writes bytes and keeps what comes. */
export class Wire {
  received = Buffer.alloc(0);
  ended = false;
  error = undefined;
  #waiting = [];

  static async open(server) {
    const wire = new Wire();
    wire.socket = net.connect({ host: server.host, port: server.port, allowHalfOpen: true });
    wire.socket.on('data', (chunk) => {
      wire.received = Buffer.concat([wire.received, chunk]);
      wire.#look();
    });
    wire.socket.on('end', () => {
      wire.ended = true;
      wire.#look();
    });
    wire.socket.on('error', (error) => {
      wire.error = error;
      wire.ended = true;
      wire.#look();
    });
    await once(wire.socket, 'connect');
    return wire;
  }

  #look() {
    this.#waiting = this.#waiting.filter(({ condition, resolve }) => !condition(this) || void resolve(this));
  }

  get text() {
    return this.received.toString('latin1');
  }

  send(bytes) {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
    return this;
  }

  until(what, condition, ms = 10_000) {
    if (condition(this)) return Promise.resolve(this);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${what} did not happen; got ${JSON.stringify(this.text.slice(0, 2000))}`)),
        ms,
      );
      this.#waiting.push({ condition, resolve: (value) => (clearTimeout(timer), resolve(value)) });
    });
  }

  untilText(text, ms) {
    return this.until(`"${text}"`, (wire) => wire.text.includes(text), ms);
  }

  untilEnd(ms) {
    return this.until('the end', (wire) => wire.ended, ms);
  }

  close() {
    this.socket.destroy();
  }
}

/** A whole exchange with Node's client. */
export function ask(server, path, { method = 'GET', headers = {}, body, agent } = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { host: server.host, port: server.port, path, method, headers, agent: agent ?? false },
      (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode,
            headers: response.headers,
            rawHeaders: response.rawHeaders,
            body: Buffer.concat(chunks),
            text: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    request.on('error', reject);
    if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) request.end(body);
    else body.pipe(request);
  });
}

/** Resolves when `condition()` holds. */
export async function eventually(what, condition, ms = 10_000) {
  const deadline = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`${what} did not happen in ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
