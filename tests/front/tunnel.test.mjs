// WebSocket upgrades that are not Anywire's own: byte for byte, in both directions, for as long as
// both ends want.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import WebSocket, { WebSocketServer } from 'ws';
import { ask, deadPort, eventually, startApp, startFront, startRawApp, Wire } from './stage.mjs';

const kUpgrade =
  'GET /_next/hmr?x=1 HTTP/1.1\r\nHost: app.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Origin: http://app.example\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
const kSwitch =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-App: 1\r\n\r\n';

/** An application that switches protocols and hands the socket to the test. */
async function switching() {
  const app = await startRawApp((socket) => {
    socket.once('data', (head) => {
      app.head = head.toString('latin1');
      app.socket = socket;
      app.heard = '';
      socket.on('data', (chunk) => (app.heard += chunk.toString('latin1')));
      socket.write(kSwitch);
    });
  });
  return app;
}

async function tunnel(t) {
  const app = await switching();
  const server = await startFront(t, app);
  const wire = await Wire.open(server);
  wire.send(kUpgrade);
  await wire.untilText('X-App: 1\r\n');
  t.after(() => wire.close());
  return { app, server, wire };
}

describe('an upgrade', { concurrency: 2 }, () => {
  test('goes on with its fields, and so does its answer', async (t) => {
    const { app, wire } = await tunnel(t);
    assert.match(app.head, /^GET \/_next\/hmr\?x=1 HTTP\/1\.1\r\nHost: app\.example\r\n/);
    assert.match(app.head, /\r\nOrigin: http:\/\/app\.example\r\n/);
    assert.match(app.head, /\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n/);
    assert.match(app.head, /\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n$/);
    assert.match(wire.text, /^HTTP\/1\.1 101 Switching Protocols\r\nUpgrade: websocket\r\nX-App: 1\r\nConnection: Upgrade\r\n\r\n$/);
  });

  test('carries any bytes both ways', async (t) => {
    const { app, wire } = await tunnel(t);
    const bytes = randomBytes(3_000_000);
    app.socket.on('data', (chunk) => app.socket.write(chunk));
    const headBytes = wire.received.length;
    wire.send(bytes);
    await wire.until('the echo', () => wire.received.length >= headBytes + bytes.length, 30_000);
    assert.ok(wire.received.subarray(headBytes).equals(bytes));
  });

  test('is for a real client and a real server', async (t) => {
    const sockets = new WebSocketServer({ noServer: true });
    const app = await startApp(undefined, {
      upgrade: (request, socket, head) =>
        sockets.handleUpgrade(request, socket, head, (ws) => ws.on('message', (data) => ws.send(data))),
    });
    const server = await startFront(t, app);
    const ws = new WebSocket(server.url('/hmr'));
    await new Promise((resolve, reject) => ws.on('open', resolve).on('error', reject));
    ws.send('hello');
    const text = await new Promise((resolve) => ws.on('message', (data) => resolve(`${data}`)));
    assert.equal(text, 'hello');
    ws.close(4000, 'bye');
    const code = await new Promise((resolve) => ws.on('close', resolve));
    assert.equal(code, 4000);
  });

  test('one side may end and still listen', async (t) => {
    const { app, wire } = await tunnel(t);
    let said = '';
    app.socket.on('data', (chunk) => (said += chunk));
    const ended = new Promise((resolve) => app.socket.on('end', resolve));
    wire.send('last words');
    wire.socket.end();
    await ended;
    assert.equal(said, 'last words');
    app.socket.end('answer');
    await wire.untilText('answer');
    await wire.untilEnd();
  });

  test('the other side may, too', async (t) => {
    const { app, wire } = await tunnel(t);
    app.socket.end('answer');
    await wire.untilText('answer');
    await wire.untilEnd();
    let said = '';
    app.socket.on('data', (chunk) => (said += chunk));
    wire.send('still here');
    wire.socket.end();
    await eventually('the words', () => said === 'still here');
  });

  test('breaks on both sides', async (t) => {
    const { app, wire } = await tunnel(t);
    app.socket.resetAndDestroy();
    await wire.untilEnd();
    const second = await tunnel(t);
    const closed = new Promise((resolve) => second.app.socket.on('close', resolve));
    second.wire.socket.resetAndDestroy();
    await closed;
  });

  test('who does not read holds the other back', async (t) => {
    const { app, wire } = await tunnel(t);
    wire.socket.pause();
    const part = Buffer.alloc(65536);
    let sent = 0;
    const pump = () => {
      while (sent < 256 * 1024 * 1024) {
        sent += part.length;
        if (!app.socket.write(part)) return app.socket.once('drain', pump);
      }
    };
    pump();
    let before = -1;
    await eventually('a standstill', async () => {
      const same = before === sent;
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return same && before === sent;
    });
    assert.ok(sent < 32 * 1024 * 1024, `${sent} bytes were taken`);
    // And goes on when it reads again.
    wire.socket.resume();
    await eventually('more', () => sent > before);
  });

  test('that is refused stays HTTP, on the same connection', async (t) => {
    const app = await startApp((_request, response) => response.end('page'), {
      upgrade: (_request, socket) =>
        socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno'),
    });
    const server = await startFront(t, app);
    const wire = await Wire.open(server);
    wire.send(kUpgrade);
    await wire.untilText('\r\n\r\nno');
    assert.match(wire.text, /^HTTP\/1\.1 403 Forbidden\r\n/);
    wire.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await wire.untilText('page');
    wire.close();
  });

  test('nothing behind it reaches an application that has not switched', async (t) => {
    const heard = [];
    const raw = await startRawApp((socket) => {
      socket.on('data', (chunk) => heard.push(chunk.toString('latin1')));
      setTimeout(() => socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'), 300);
    });
    const server = await startFront(t, raw);
    const wire = await Wire.open(server);
    wire.send(`${kUpgrade}GET /admin HTTP/1.1\r\nHost: a\r\n\r\n`);
    await wire.untilText('404');
    assert.equal(heard.filter((text) => text.startsWith('GET /_next/hmr')).length, 1);
    assert.ok(!heard[0].includes('/admin'));
    // It is the next request, judged like any other.
    await eventually('the next request', () => heard.length >= 2);
    assert.match(heard[1], /^GET \/admin HTTP\/1\.1\r\nHost: a\r\nX-Forwarded-For: /);
    wire.close();
  });

  test('what is sent early arrives once it has switched', async (t) => {
    const app = await switching();
    const server = await startFront(t, app);
    const wire = await Wire.open(server);
    wire.send(`${kUpgrade}early bytes`);
    await wire.untilText('101');
    await eventually('the early bytes', () => app.heard === 'early bytes');
    wire.close();
  });

  test('to an application that is not there gets 502', async (t) => {
    const server = await startFront(t, { url: `http://127.0.0.1:${await deadPort()}` });
    const wire = await Wire.open(server);
    wire.send(kUpgrade);
    await wire.untilText('HTTP/1.1 502 ');
    wire.close();
  });

  test('to anything but a WebSocket is an ordinary request', async (t) => {
    const app = await startApp((request, response) => response.end(`<${request.headers.upgrade}>`));
    const server = await startFront(t, app);
    const answer = await ask(server, '/', { headers: { Connection: 'Upgrade', Upgrade: 'h2c' } });
    assert.equal(answer.text, '<undefined>');
  });
});

test('SIGTERM ends tunnels at once', async (t) => {
  const { server, wire } = await tunnel(t);
  const started = Date.now();
  assert.equal((await server.stop()).code, 0);
  assert.ok(Date.now() - started < 4_000);
  await wire.untilEnd();
});
