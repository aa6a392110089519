// Requests made to be read in two ways: Anywire in front must refuse them, or pass on exactly the one
// request it has understood, written anew; and what hides behind it never arrives by itself.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startServer } from '../support/server.mjs';
import { ask, eventually, startRawApp, Wire } from './stage.mjs';

const kHidden = 'GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n';
const head = (...lines) => ['POST /seen HTTP/1.1', 'Host: a', ...lines, '', ''].join('\r\n');

// [what, bytes, the answer]
const kRefused = [
  ['a length and chunks', head('Content-Length: 4', 'Transfer-Encoding: chunked') + `0\r\n\r\n${kHidden}`, 400],
  ['chunks and a length', head('Transfer-Encoding: chunked', 'Content-Length: 4') + `0\r\n\r\n${kHidden}`, 400],
  ['two lengths', head('Content-Length: 4', 'Content-Length: 40') + `body${kHidden}`, 400],
  ['two equal lengths', head('Content-Length: 4', 'Content-Length: 4') + `body${kHidden}`, 400],
  ['a list of lengths', head('Content-Length: 4, 40') + kHidden, 400],
  ['a length with a plus', head('Content-Length: +4') + kHidden, 400],
  ['a length in hex', head('Content-Length: 0x4') + kHidden, 400],
  ['a negative length', head('Content-Length: -1') + kHidden, 400],
  ['a length past 64 bits', head('Content-Length: 18446744073709551620') + kHidden, 413],
  ['a space before the colon', head('Transfer-Encoding : chunked') + kHidden, 400],
  ['a tab in the coding', head('Transfer-Encoding: \tchunked') + kHidden, 400],
  ['a vertical tab', head('Transfer-Encoding: \x0bchunked') + kHidden, 400],
  ['a folded coding', head('Transfer-Encoding:', ' chunked') + kHidden, 400],
  ['an unknown coding', head('Transfer-Encoding: xchunked') + kHidden, 400],
  ['chunked not last', head('Transfer-Encoding: chunked, identity') + kHidden, 400],
  ['chunked twice', head('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked') + kHidden, 400],
  ['chunks of HTTP/1.0', `POST /seen HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${kHidden}`, 400],
  ['a bare LF', `POST /seen HTTP/1.1\nHost: a\nContent-Length: 0\n\n${kHidden}`, 400],
  ['a bare CR', head('X: a\rTransfer-Encoding: chunked') + kHidden, 400],
  ['a NUL', head('X: a\0b') + kHidden, 400],
  ['two hosts', head('Host: b') + kHidden, 400],
  ['a host with a path', `GET /seen HTTP/1.1\r\nHost: a/b\r\n\r\n${kHidden}`, 400],
  ['another host in the target', `GET http://b/seen HTTP/1.1\r\nHost: a\r\n\r\n${kHidden}`, 400],
  ['a space in the target', `GET /seen HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n${kHidden}`, 400],
  ['a body on an upgrade', 'GET /seen HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
    `Content-Length: ${kHidden.length}\r\n\r\n${kHidden}`, 400],
  ['HTTP/2 of old', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${kHidden}`, 505],
  ['CONNECT', `CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n${kHidden}`, 501],
  ['TRACE', `TRACE / HTTP/1.1\r\nHost: a\r\n\r\n${kHidden}`, 501],
];

// Found in the middle of a body, when the head has gone on already: the connection ends, and so
// does the request at the application, unfinished.
const kBroken = [
  ['a size with a prefix', '0x4\r\nbody\r\n0\r\n\r\n'],
  ['a size with a space', '4 \r\nbody\r\n0\r\n\r\n'],
  ['a size too long to hold', '10000000000000004\r\nbody\r\n0\r\n\r\n'],
  ['a line that ends in LF', '4\nbody\n0\n\n'],
  ['data that is too long', '4\r\nbodyX\r\n0\r\n\r\n'],
  ['an extension with a LF', '4;a\nb\r\nbody\r\n0\r\n\r\n'],
  ['a trailer that frames', '4\r\nbody\r\n0\r\nContent-Length: 50\r\n\r\n'],
  ['a trailer with a bare LF', '4\r\nbody\r\n0\r\nX: a\nY: b\r\n\r\n'],
];

describe('smuggling', { concurrency: false }, () => {
  let app;
  let server;
  let heard = '';
  before(async () => {
    // Below HTTP: what arrives is looked at as bytes. Each end of a head is answered.
    app = await startRawApp((socket) => {
      socket.on('data', (chunk) => {
        heard += chunk.toString('latin1');
        const heads = chunk.toString('latin1').match(/^(GET|POST) /gm) ?? [];
        for (const _ of heads) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    });
    server = await startServer({ flags: { 'front.upstream': app.url }, conformance: false });
  });
  after(async () => {
    await server.stop();
    await app.stop();
  });

  for (const [what, bytes, status] of kRefused) {
    test(`${what}: ${status}, and nothing goes on`, async () => {
      heard = '';
      const wire = await Wire.open(server);
      wire.send(bytes);
      await wire.untilText('HTTP/1.1 ');
      assert.match(wire.text, new RegExp(`^HTTP/1\\.1 ${status} `));
      wire.socket.end();
      await wire.untilEnd();
      assert.equal(wire.text.match(/HTTP\/1\.1 \d{3} /g).length, 1, 'one answer, and the end');
      assert.equal(heard, '');
      wire.close();
    });
  }

  for (const [what, body] of kBroken) {
    test(`${what} in a body ends it`, async () => {
      heard = '';
      const wire = await Wire.open(server);
      wire.send(head('Transfer-Encoding: chunked') + body + kHidden);
      await wire.untilEnd();
      assert.doesNotMatch(heard, /hidden/);
      assert.doesNotMatch(heard, /\r\n0\r\n\r\n/, 'the application does not take it for whole');
      wire.close();
    });
  }

  test('what is passed on is written anew', async () => {
    heard = '';
    const wire = await Wire.open(server);
    wire.send(head('content-LENGTH:   0004  ', 'X-A:  b \t', 'cOnNeCtIoN: x-gone', 'x-gone: 1') + 'body');
    await wire.untilText('ok');
    assert.match(heard, /^POST \/seen HTTP\/1\.1\r\nHost: a\r\nX-A: b\r\nX-Forwarded-For: 127\.0\.0\.1\r\n/);
    assert.match(heard, /\r\nContent-Length: 4\r\n\r\nbody$/);
    assert.doesNotMatch(heard, /gone/);
    heard = '';
    wire.send(head('Transfer-Encoding: CHUNKED') + '2;x="y"\r\nbo\r\n002\r\ndy\r\n000\r\nX-Sum: 1\r\n\r\n');
    await eventually('the whole body', () => heard.endsWith('\r\n0\r\n\r\n'));
    assert.match(heard, /\r\nTransfer-Encoding: chunked\r\n\r\n(2\r\nbo\r\n2\r\ndy|4\r\nbody)\r\n0\r\n\r\n$/);
    wire.close();
  });

  test('what other servers would take for a field of ours is dropped', async () => {
    heard = '';
    await ask(server, '/', { headers: { 'X_Forwarded_For': '6.6.6.6', 'x-real_ip': '6.6.6.6',
      'Content_Length': '50', 'Transfer_Encoding': 'chunked', 'api_key': 'kept' } });
    assert.doesNotMatch(heard, /6\.6\.6\.6|content.length|transfer.encoding/i);
    assert.match(heard, /\r\napi_key: kept\r\n/, 'what is the application\'s own goes on');
  });

  test('no field of one hop takes a proxy\'s word away', async () => {
    heard = '';
    await ask(server, '/', {
      headers: { Connection: 'X-Forwarded-For, Forwarded, Host, close', 'X-Forwarded-For': '6.6.6.6' },
    });
    assert.match(heard, /\r\nHost: 127\.0\.0\.1/);
    assert.match(heard, /\r\nX-Forwarded-For: 127\.0\.0\.1\r\n/);
    assert.doesNotMatch(heard, /6\.6\.6\.6/);
  });
});
