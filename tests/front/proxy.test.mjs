// Requests through Anywire to the application's server and back: whole, streamed, refused, broken.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import { ask, deadPort, eventually, startApp, startFront, startRawApp, Wire } from './stage.mjs';

const kMiB = 1024 * 1024;
const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');

describe('a request through the front', { concurrency: 2 }, () => {
  test('arrives as it was sent, and the answer comes back as it was given', async (t) => {
    const app = await startApp((request, response) => {
      response.writeHead(418, 'Teapot', [
        ['Set-Cookie', 'a=1'], ['Set-Cookie', 'b=2'], ['X-App', 'yes'], ['Content-Length', '3'],
      ].flat());
      response.end('tea');
    });
    const server = await startFront(t, app);
    const answer = await ask(server, '/a/b%20c/../d?x=%2F&y', {
      headers: { Host: 'app.example:8080', Cookie: 'k=v', 'X-Thing': 'one' },
    });
    assert.equal(answer.status, 418);
    assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2']);
    assert.equal(answer.headers['x-app'], 'yes');
    assert.equal(answer.text, 'tea');
    const [seen] = app.requests;
    assert.equal(seen.url, '/a/b%20c/../d?x=%2F&y');
    assert.equal(seen.headers.host, 'app.example:8080');
    assert.equal(seen.headers.cookie, 'k=v');
    assert.equal(seen.headers['x-forwarded-for'], '127.0.0.1');
    assert.equal(seen.headers['x-forwarded-proto'], 'http');
    assert.equal(seen.headers['x-forwarded-host'], 'app.example:8080');
    assert.match(seen.headers.forwarded, /^for=127\.0\.0\.1;host="app\.example:8080";proto=http$/);
  });

  test('keeps an encoded slash, which the application may want', async (t) => {
    const app = await startApp((request, response) => response.end(request.url));
    const server = await startFront(t, app);
    assert.equal((await ask(server, '/files/a%2Fb')).text, '/files/a%2Fb');
  });

  test('of every method, with the bodies they have', async (t) => {
    const app = await startApp(async (request, response) => {
      let size = 0;
      for await (const chunk of request) size += chunk.length;
      response.setHeader('X-Saw', `${request.method} ${size}`);
      response.end(request.method === 'HEAD' ? undefined : 'body');
    });
    const server = await startFront(t, app);
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      const body = method === 'GET' || method === 'OPTIONS' ? undefined : 'hello';
      const headers = body ? { 'Content-Length': body.length } : {};
      const answer = await ask(server, '/', { method, body, headers });
      assert.equal(answer.headers['x-saw'], `${method} ${body ? 5 : 0}`);
      assert.equal(answer.text, 'body');
    }
    const head = await ask(server, '/', { method: 'HEAD' });
    assert.equal(head.headers['x-saw'], 'HEAD 0');
    assert.equal(head.text, '');
  });

  test('answers without a body have none', async (t) => {
    const app = await startApp((request, response) => {
      response.writeHead(Number(request.url.slice(1)), { ETag: '"x"' });
      response.end();
    });
    const server = await startFront(t, app);
    const wire = await Wire.open(server);
    for (const status of [204, 304]) {
      wire.send(`GET /${status} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await wire.untilText(`HTTP/1.1 ${status}`);
    }
    wire.send('GET /204 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await wire.untilEnd();
    assert.equal(wire.text.match(/HTTP\/1\.1 (204|304)/g).length, 3);
    assert.doesNotMatch(wire.text, /content-length|transfer-encoding/i);
    wire.close();
  });

  test('own paths stay Anywire\'s', async (t) => {
    const app = await startApp((_request, response) => response.end('app'));
    const server = await startFront(t, app);
    assert.equal((await ask(server, '/raw/x')).status, 426);
    assert.equal((await ask(server, '/')).text, 'app');
    assert.equal(app.requests.length, 1);
  });

  test('requests of one connection are answered in their order', async (t) => {
    const app = await startApp((request, response) => {
      const turn = Number(request.url.slice(1));
      setTimeout(() => response.end(`<${turn}>`), 20 - turn);
    });
    const server = await startFront(t, app);
    const wire = await Wire.open(server);
    const turns = Array.from({ length: 20 }, (_, i) => i);
    wire.send(turns.map((i) => `GET /${i} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
    await wire.untilText('<19>');
    assert.deepEqual([...wire.text.matchAll(/<(\d+)>/g)].map((m) => Number(m[1])), turns);
    wire.close();
  });
});

describe('bodies', { concurrency: 2 }, () => {
  const echo = (request, response) => {
    response.setHeader('X-Framing', request.headers['transfer-encoding'] ?? request.headers['content-length']);
    request.pipe(response);
  };

  for (const sized of [true, false]) {
    test(`of 24 MiB, ${sized ? 'sized' : 'chunked'}, go both ways unchanged`, async (t) => {
      const app = await startApp(echo);
      const server = await startFront(t, app);
      const bytes = randomBytes(24 * kMiB);
      const answer = await ask(server, '/copy', {
        method: 'POST',
        headers: sized ? { 'Content-Length': bytes.length } : {},
        body: Readable.from(
          Array.from({ length: 384 }, (_, i) => bytes.subarray(i * 65536, (i + 1) * 65536)),
        ),
      });
      assert.equal(digest(answer.body), digest(bytes));
      assert.equal(answer.headers['x-framing'], sized ? `${bytes.length}` : 'chunked');
    });
  }

  test('the parts of an answer arrive when they are written', async (t) => {
    let stream;
    const app = await startApp((_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write('data: 1\n\n');
      stream = response;
    });
    const server = await startFront(t, app);
    const wire = await Wire.open(server);
    wire.send('GET /events HTTP/1.1\r\nHost: a\r\n\r\n');
    await wire.untilText('data: 1\n\n');
    stream.write('data: 2\n\n');
    await wire.untilText('data: 2\n\n');
    stream.end();
    await wire.untilText('\r\n0\r\n\r\n');
    wire.close();
  });

  test('the parts of a request arrive when they are written, and the answer may begin before', async (t) => {
    const app = await startApp((request, response) => {
      response.writeHead(200);
      request.on('data', (chunk) => response.write(`<${chunk}>`));
      request.on('end', () => response.end('<end>'));
    });
    const server = await startFront(t, app);
    const wire = await Wire.open(server);
    wire.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n');
    await wire.untilText('<one>');
    wire.send('3\r\ntwo\r\n');
    await wire.untilText('<two>');
    wire.send('0\r\n\r\n');
    await wire.untilText('<end>');
    wire.close();
  });

  test('"100 Continue" is the application\'s to send', async (t) => {
    const app = await startApp();
    let go;
    app.requests.length = 0;
    const raw = await startRawApp((socket) => {
      socket.once('data', (head) => {
        assert.match(head.toString(), /\r\nExpect: 100-continue\r\n/);
        go = () => socket.write('HTTP/1.1 100 Continue\r\n\r\n');
        socket.once('data', (body) =>
          socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`));
      });
    });
    await app.stop();
    const server = await startFront(t, raw);
    const wire = await Wire.open(server);
    wire.send('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n');
    await eventually('the head at the application', () => go !== undefined);
    assert.equal(wire.text, '');
    go();
    await wire.untilText('100 Continue');
    wire.send('hello');
    await wire.untilText('\r\n\r\nhello');
    wire.close();
  });

  test('a refusal instead of "100 Continue" ends the connection', async (t) => {
    const raw = await startRawApp((socket) => {
      socket.once('data', () => socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno'));
    });
    const server = await startFront(t, raw);
    const wire = await Wire.open(server);
    wire.send('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n');
    await wire.untilText('\r\n\r\nno');
    assert.match(wire.text, /HTTP\/1\.1 413 /);
    assert.match(wire.text, /\r\nConnection: close\r\n/);
    wire.close();
  });

  test('hints before the answer are passed on', async (t) => {
    const raw = await startRawApp((socket) => {
      socket.once('data', () =>
        socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n' +
          'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
    });
    const server = await startFront(t, raw);
    const wire = await Wire.open(server);
    wire.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await wire.untilText('\r\n\r\nok');
    assert.match(wire.text, /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>\r\n\r\nHTTP\/1\.1 200 /);
    assert.doesNotMatch(wire.text, /100 Continue/);
    wire.close();
  });

  test('a client that does not read holds the application back', async (t) => {
    let written = 0;
    const app = await startApp((_request, response) => {
      const part = Buffer.alloc(65536, 'x');
      const more = () => {
        while (written < 512 * kMiB) {
          written += part.length;
          if (!response.write(part)) return response.once('drain', more);
        }
        response.end();
      };
      more();
    });
    const server = await startFront(t, app);
    const wire = await Wire.open(server);
    wire.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await wire.untilText('200 OK');
    wire.socket.pause();
    let before = -1;
    await eventually('a standstill', async () => {
      const same = before === written;
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return same && before === written;
    });
    assert.ok(written < 32 * kMiB, `${written} bytes were taken from the application`);
    wire.close();
  });

  test('an application that does not read holds the client back', async (t) => {
    const raw = await startRawApp((socket) => socket.pause());
    const server = await startFront(t, raw);
    const wire = await Wire.open(server);
    wire.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${512 * kMiB}\r\n\r\n`);
    const part = Buffer.alloc(65536);
    let sent = 0;
    const pump = () => {
      while (sent < 512 * kMiB) {
        sent += part.length;
        if (!wire.socket.write(part)) return wire.socket.once('drain', pump);
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
    assert.ok(sent < 32 * kMiB, `${sent} bytes were taken from the client`);
    wire.close();
  });

  test('over the limit get 413, known at once or on the way', async (t) => {
    const app = await startApp((request, response) => request.resume().on('end', () => response.end('ok')));
    const server = await startFront(t, app, { 'front.body_bytes_max': '1KiB' });
    assert.equal((await ask(server, '/', { method: 'POST', body: Buffer.alloc(1024) })).text, 'ok');
    assert.equal((await ask(server, '/', { method: 'POST', body: Buffer.alloc(1025) })).status, 413);
    const wire = await Wire.open(server);
    wire.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n401\r\n');
    await wire.untilText('HTTP/1.1 413 ');
    wire.close();
  });
});

describe('connections to the application', { concurrency: 2 }, () => {
  test('serve many requests', async (t) => {
    const app = await startApp((_request, response) => response.end('ok'));
    const server = await startFront(t, app);
    for (let i = 0; i < 20; ++i) assert.equal((await ask(server, '/')).text, 'ok');
    assert.equal(app.connections, 1);
  });

  test('that broke while they rested cost no request', async (t) => {
    const app = await startApp((_request, response) => response.end('ok'));
    const server = await startFront(t, app);
    for (let i = 0; i < 10; ++i) {
      assert.equal((await ask(server, '/')).text, 'ok');
      for (const socket of app.sockets) socket.destroy();
    }
  });

  test('that break under a request: it is sent again if it may be', async (t) => {
    let served = 0;
    const raw = await startRawApp((socket) => {
      let requests = 0;
      socket.on('data', () => {
        // The second request of each connection meets its end.
        if (++requests === 2) return socket.destroy();
        served += 1;
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    });
    const server = await startFront(t, raw);
    assert.equal((await ask(server, '/')).status, 200);
    assert.equal((await ask(server, '/')).status, 200);
    assert.equal((await ask(server, '/', { method: 'POST' })).status, 502, 'a POST is not repeated');
    assert.equal((await ask(server, '/', { method: 'DELETE' })).status, 200);
    assert.equal(served, 3);
    assert.equal(raw.connections, 3);
  });

  test('end when the application says so', async (t) => {
    const app = await startApp((_request, response) => {
      response.setHeader('Connection', 'close');
      response.end('ok');
    });
    const server = await startFront(t, app);
    const agent = new http.Agent({ keepAlive: true });
    for (let i = 0; i < 3; ++i) {
      const answer = await ask(server, '/', { agent });
      assert.equal(answer.headers.connection, 'keep-alive', 'which is not the client\'s business');
    }
    assert.equal(app.connections, 3);
    agent.destroy();
  });

  test('are not used again with bytes behind an answer', async (t) => {
    const raw = await startRawApp((socket) => {
      socket.on('data', () =>
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'));
    });
    const server = await startFront(t, raw);
    for (let i = 0; i < 3; ++i) assert.equal((await ask(server, '/')).text, 'ok');
    assert.equal(raw.connections, 3);
  });

  test('over the limit get 503', async (t) => {
    const held = [];
    const app = await startApp((_request, response) => held.push(response));
    const server = await startFront(t, app, { 'front.connections_max': '2' });
    const first = [ask(server, '/'), ask(server, '/')];
    await eventually('two requests', () => held.length === 2);
    const third = await ask(server, '/');
    assert.equal(third.status, 503);
    assert.equal(third.headers['retry-after'], '1');
    for (const response of held) response.end('ok');
    for (const answer of await Promise.all(first)) assert.equal(answer.text, 'ok');
    const last = ask(server, '/');
    await eventually('another one', () => held.length === 3);
    held[2].end('ok');
    assert.equal((await last).text, 'ok');
  });

  test('end with the client that waits', async (t) => {
    let gone = 0;
    const app = await startApp((_request, response) => response.on('close', () => (gone += 1)));
    const server = await startFront(t, app);
    const wire = await Wire.open(server);
    wire.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually('the request', () => app.requests.length === 1);
    wire.close();
    await eventually('its end at the application', () => gone === 1);
  });
});

describe('an application that fails', { concurrency: 2 }, () => {
  test('is not there: 502, as text or as a page', async (t) => {
    const server = await startFront(t, { url: `http://127.0.0.1:${await deadPort()}` });
    const text = await ask(server, '/');
    assert.equal(text.status, 502);
    assert.equal(text.headers['content-type'], 'text/plain; charset=utf-8');
    const page = await ask(server, '/', { headers: { Accept: 'text/html,*/*;q=0.8' } });
    assert.equal(page.status, 502);
    assert.match(page.text, /<h1>The application cannot be reached<\/h1>/);
    assert.doesNotMatch(page.text, /127\.0\.0\.1/);
    assert.equal((await ask(server, '/', { method: 'POST', body: 'x' })).status, 502);
  });

  test('comes back', async (t) => {
    const app = await startApp((_request, response) => response.end('ok'));
    const server = await startFront(t, app);
    assert.equal((await ask(server, '/')).text, 'ok');
    await app.stop();
    assert.equal((await ask(server, '/')).status, 502);
    app.stop = undefined;
    const again = http.createServer((_request, response) => response.end('back'));
    again.listen(app.port, '127.0.0.1');
    await once(again, 'listening');
    assert.equal((await ask(server, '/')).text, 'back');
    again.close();
    again.closeAllConnections();
  });

  test('is silent: 504', async (t) => {
    const app = await startApp(() => {});
    const server = await startFront(t, app, { 'front.upstream_timeout': '200ms' });
    const answer = await ask(server, '/', { headers: { Accept: 'text/html' } });
    assert.equal(answer.status, 504);
    assert.match(answer.text, /does not answer/);
    await eventually('the end of its connection', () => app.sockets.size === 0);
  });

  test('begins to answer and takes its time: no limit', async (t) => {
    const app = await startApp((_request, response) => {
      response.write('one');
      setTimeout(() => response.end('two'), 600);
    });
    const server = await startFront(t, app, { 'front.upstream_timeout': '200ms' });
    assert.equal((await ask(server, '/')).text, 'onetwo');
  });

  for (const [what, bytes] of [
    ['something else', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx'],
    ['length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['an unasked upgrade', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'],
    ['a split header', 'HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: b\r\nContent-Length: 0\r\n\r\n'],
    ['an endless head', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(80_000)}`],
    ['nothing but hints', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(40)],
    ['nothing', ''],
  ]) {
    test(`answers with ${what}: 502`, async (t) => {
      const raw = await startRawApp((socket) => socket.once('data', () => socket.end(bytes)));
      const server = await startFront(t, raw);
      const wire = await Wire.open(server);
      wire.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await wire.untilText('HTTP/1.1 502 ');
      wire.close();
    });
  }

  for (const [what, head, framed] of [
    ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n', 'the part'],
    ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', '8\r\nthe part\r\n'],
  ]) {
    for (const version of ['1.1', '1.0']) {
      test(`breaks off within ${what}: so does the answer to HTTP/${version}`, async (t) => {
        const raw = await startRawApp((socket) =>
          socket.once('data', () => {
            socket.write(head + framed);
            setTimeout(() => socket.end(), 100);
          }));
        const server = await startFront(t, raw);
        const wire = await Wire.open(server);
        wire.send(`GET / HTTP/${version}\r\nHost: a\r\n\r\n`);
        await wire.untilText('the part');
        await wire.untilEnd();
        // Without a frame an orderly end would be that of the answer.
        if (version === '1.0' && what === 'chunks') assert.equal(wire.error?.code, 'ECONNRESET');
        assert.doesNotMatch(wire.text, /\r\n0\r\n\r\n$/);
        wire.close();
      });
    }
  }

  test('ends an answer without a frame: that is its end', async (t) => {
    const raw = await startRawApp((socket) =>
      socket.once('data', () => socket.end('HTTP/1.0 200 OK\r\n\r\nall of it')));
    const server = await startFront(t, raw);
    assert.equal((await ask(server, '/')).text, 'all of it');
  });

  test('answers early and closes: the answer arrives, and the client stops', async (t) => {
    const raw = await startRawApp((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig')));
    const server = await startFront(t, raw);
    const wire = await Wire.open(server);
    wire.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${64 * kMiB}\r\n\r\n`);
    wire.send(Buffer.alloc(4 * kMiB));
    await wire.untilText('\r\n\r\nbig');
    assert.match(wire.text, /HTTP\/1\.1 413 /);
    wire.close();
  });
});

describe('a client', { concurrency: 2 }, () => {
  test('of HTTP/1.0 gets an answer that ends with the connection', async (t) => {
    const app = await startApp((_request, response) => {
      response.write('one');
      response.end('two');
    });
    const server = await startFront(t, app);
    const wire = await Wire.open(server);
    wire.send('GET / HTTP/1.0\r\n\r\n');
    await wire.untilEnd();
    assert.match(wire.text, /\r\n\r\nonetwo$/);
    assert.doesNotMatch(wire.text, /transfer-encoding/i);
    assert.equal(app.requests[0].headers.host, `127.0.0.1:${app.port}`);
    wire.close();
  });

  test('that pauses in its body gets 408', async (t) => {
    const app = await startApp((request) => request.resume());
    const server = await startFront(t, app, { 'front.body_timeout': '200ms' });
    const wire = await Wire.open(server);
    wire.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf');
    await wire.untilText('HTTP/1.1 408 ');
    await eventually('the end at the application', () => app.sockets.size === 0);
    wire.close();
  });

  test('behind a trusted proxy stays who it is', async (t) => {
    const app = await startApp((request, response) => response.end(JSON.stringify(request.headers)));
    const server = await startFront(t, app, { 'http.trusted_proxies': '127.0.0.1' });
    const seen = JSON.parse((await ask(server, '/', {
      headers: { 'X-Forwarded-For': '203.0.113.9', 'X-Forwarded-Proto': 'https' },
    })).text);
    assert.equal(seen['x-forwarded-for'], '203.0.113.9, 127.0.0.1');
    assert.equal(seen['x-forwarded-proto'], 'https');
  });
});

test('SIGTERM lets answers come to their end', async (t) => {
  let finish;
  const app = await startApp((_request, response) => {
    response.write('one');
    finish = () => response.end('two');
  });
  const server = await startFront(t, app);
  const answer = ask(server, '/');
  await eventually('the request', () => finish !== undefined);
  const stopped = server.stop({ deadlineMs: 10_000 });
  await new Promise((resolve) => setTimeout(resolve, 100));
  finish();
  assert.equal((await answer).text, 'onetwo');
  assert.equal((await stopped).code, 0);
});
