// RFC 9110 and 9112 from the answering side: what every answer and every refusal has to carry, and
// which of the rules about methods, versions and expectations a server keeps that only upgrades.
import assert from 'node:assert/strict';
import { request, upgradeRequest } from '../support/http.mjs';
import { checkSwitching, Peer } from '../support/peer.mjs';
import { kEcho, suite } from '../support/suite.mjs';

const get = (path, options) => request('GET', path, options);
const upgrade = (headers, options) => upgradeRequest(kEcho, { headers, ...options });

/** Requests of every kind that is not switched: [name, bytes, status, does the server close]. */
const kAnswers = [
  ['an unknown path', get('/none'), 404, false],
  ['a plain GET of a WebSocket', get(kEcho), 426, false],
  ['an unknown version', upgrade({ 'Sec-WebSocket-Version': '9' }), 426, false],
  ['a bad key', upgrade({ 'Sec-WebSocket-Key': 'short' }), 400, false],
  ['a bad list of subprotocols', upgrade({ 'Sec-WebSocket-Protocol': 'a b' }), 400, false],
  ['a bad list of extensions', upgrade({ 'Sec-WebSocket-Extensions': 'a;;' }), 400, false],
  ['a method that cannot upgrade', upgrade({}, { method: 'POST' }), 405, false],
  ['a request of HTTP/1.0', get('/none', { version: 'HTTP/1.0' }), 404, true],
  ['a last request', get('/none', { headers: { Connection: 'close' } }), 404, true],
  ['a missing Host', get('/none', { headers: { Host: null } }), 400, true],
  ['a bad header', get('/none', { headers: { 'X Y': '1' } }), 400, true],
  ['a body that is too large', get(kEcho, { headers: { 'Content-Length': '99999999999' } }), 413, true],
  ['a target that is too long', get(`/${'x'.repeat(9000)}`), 414, true],
  ['an https target without TLS', get('https://127.0.0.1/none'), 421, true],
  ['too many headers', get('/none', { headers: { X: Array(200).fill('1') } }), 431, true],
  ['an unknown method', request('BREW', '/none'), 501, true],
  ['another version of HTTP', get('/none', { version: 'HTTP/3.0' }), 505, true],
];

suite('answers', {}, (it) => {
  for (const [name, bytes, status, closes] of kAnswers) {
    const ask = async ({ wire, mode }) => {
      const connection = await wire();
      await connection.write(bytes);
      const response = await connection.response();
      assert.equal(response.status, status === 421 && mode.secure ? 404 : status);
      return { connection, ...response };
    };
    it(`dates the answer to ${name} (RFC 9110 6.6.1)`, async (context) => {
      const { headers } = await ask(context);
      const date = headers.get('date');
      assert.match(date, /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/);
      assert.equal(new Date(date).toUTCString(), date, 'the day of the week is the right one');
      assert.ok(Math.abs(Date.now() - Date.parse(date)) < 60000, date);
    });
    it(`explains ${name} in words, framed by their length (RFC 9110 15.5, 8.6)`, async (context) => {
      const { headers, body } = await ask(context);
      assert.equal(Number(headers.get('content-length')), body.length);
      assert.match(headers.get('content-type'), /^text\/plain; *charset=utf-8$/);
      assert.match(body.toString(), /^[\x20-\x7e]{10,}\n$/);
    });
    it(`says after ${name} whether it closes, and does (RFC 9112 9.6)`, async (context) => {
      const { connection, headers } = await ask(context);
      const options = headers.get('connection').toLowerCase().split(/ *, */);
      if (!closes || (status === 421 && context.mode.secure)) {
        assert.ok(options.includes('keep-alive'));
        await connection.write(get('/again'));
        assert.equal((await connection.response()).status, 404);
      } else {
        assert.ok(options.includes('close'));
        await connection.write(get('/again'));
        await connection.expectEnd();
      }
    });
  }

  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD']) {
    it(`names what is allowed instead of ${method} (RFC 9110 15.5.6)`, async ({ wire }) => {
      const connection = await wire();
      await connection.write(upgrade({}, { method }));
      const { status, headers } = await connection.response({ method });
      assert.equal(status, 405);
      assert.equal(headers.get('allow'), 'GET');
    });
  }
  for (const method of ['CONNECT', 'TRACE', 'BREW', 'get', 'G'.repeat(5000)]) {
    it(`does not implement ${method.slice(0, 10)} of ${method.length} letters (RFC 9110 9.1)`,
      async ({ wire }) => {
        const connection = await wire();
        const target = method === 'CONNECT' ? '127.0.0.1:80' : '/none';
        await connection.write(request(method, target));
        assert.equal((await connection.response()).status, 501);
        await connection.expectEnd();
      });
  }
  for (const path of ['/none', kEcho]) {
    it(`answers HEAD of ${path} with the fields of GET and no content (RFC 9110 9.3.2)`,
      async ({ wire }) => {
        const connection = await wire();
        await connection.write(Buffer.concat([request('HEAD', path), get(path)]));
        const head = await connection.response({ method: 'HEAD' });
        const full = await connection.response();
        assert.equal(head.status, full.status);
        for (const response of [head, full]) response.headers.delete('date');
        assert.deepEqual([...head.headers], [...full.headers]);
        assert.ok(full.body.length > 0);
      });
  }
  it('answers OPTIONS * (RFC 9112 3.2.4)', async ({ wire }) => {
    const connection = await wire();
    await connection.write(Buffer.concat([request('OPTIONS', '*'), get('/none')]));
    assert.equal((await connection.response()).status, 404);
    assert.equal((await connection.response()).status, 404);
  });

  it('ignores Upgrade in HTTP/1.0 (RFC 9110 7.8)', async ({ wire }) => {
    for (const headers of [{}, { Upgrade: null }]) {
      const connection = await wire();
      await connection.write(upgrade(headers, { version: 'HTTP/1.0' }));
      assert.equal((await connection.response()).status, 426);
      await connection.expectEnd();
    }
  });
  it('ignores an Upgrade to anything else (RFC 9110 7.8)', async ({ wire }) => {
    const connection = await wire();
    await connection.write(get('/none', { headers: { Upgrade: 'h2c', Connection: 'Upgrade' } }));
    assert.equal((await connection.response()).status, 404);
    await connection.write(get(kEcho, { headers: { Upgrade: 'h2c', Connection: 'Upgrade' } }));
    const { status, headers } = await connection.response();
    assert.equal(status, 426);
    assert.equal(headers.get('upgrade'), 'websocket', 'says what it would switch to');
  });
  it('switches at once although 100-continue is asked for nothing (RFC 9110 10.1.1)', async ({ wire }) => {
    const connection = await wire();
    await connection.write(upgrade({ Expect: '100-continue' }));
    checkSwitching(await connection.response());
  });
  it('answers a body that waits for 100 with its last word and closes (RFC 9110 10.1.1)',
    async ({ wire }) => {
      const connection = await wire();
      await connection.write(request('POST', '/none', {
        headers: { Expect: '100-continue', 'Content-Length': '5' } }));
      const { status, headers } = await connection.response();
      assert.equal(status, 404);
      assert.equal(headers.get('connection'), 'close');
      await connection.expectEnd();
    });
  it('ignores 100-continue in HTTP/1.0 and sends it no 1xx (RFC 9110 10.1.1, 15.2)', async ({ wire }) => {
    const connection = await wire();
    await connection.write(request('POST', '/none', { version: 'HTTP/1.0', body: 'hello',
      headers: { Expect: '100-continue', 'Content-Length': '5' } }));
    assert.equal((await connection.response()).status, 404);
    await connection.expectEnd();
  });
  it('ignores an expectation nobody knows (RFC 9110 10.1.1)', async ({ wire }) => {
    const connection = await wire();
    await connection.write(get('/none', { headers: { Expect: 'the-unexpected' } }));
    assert.equal((await connection.response()).status, 404);
  });
  it('ignores fields it does not know (RFC 9110 5.1)', async ({ wire }) => {
    const connection = await wire();
    await connection.write(upgrade({ 'X-Unknown': 'a, b; c="d"', TE: 'trailers', 'Max-Forwards': '3',
      'Keep-Alive': 'timeout=5', Connection: 'Upgrade, TE, Keep-Alive', Via: '1.1 proxy' }));
    checkSwitching(await connection.response());
  });
  it('says Upgrade in Connection wherever it says Upgrade (RFC 9110 7.8)', async ({ wire }) => {
    for (const bytes of [upgrade({}), get(kEcho)]) {
      const connection = await wire();
      await connection.write(bytes);
      const { headers } = await connection.response();
      assert.equal(headers.get('upgrade'), 'websocket');
      assert.match(headers.get('connection'), /\bupgrade\b/i);
    }
  });
  it('sends no field of a switch twice (RFC 6455 11.3)', async ({ wire }) => {
    const connection = await wire();
    await connection.write(upgradeRequest('/raw/room', { headers: {
      'Sec-WebSocket-Protocol': ['anywire.raw.v1', 'other'],
      'Sec-WebSocket-Extensions': ['permessage-deflate', 'permessage-deflate'] } }));
    const { status, headers } = await connection.response();
    assert.equal(status, 101);
    for (const [name, value] of headers) {
      assert.ok(!value.includes(','), `${name}: ${value} (repeated lines come joined by a comma)`);
    }
    assert.equal(headers.get('sec-websocket-protocol'), 'anywire.raw.v1');
    assert.match(headers.get('sec-websocket-extensions'), /^permessage-deflate/);
  });
});

suite('request lines', {}, (it) => {
  it('reads one of 8000 octets (RFC 9112 3)', async ({ wire }) => {
    const rest = `GET ${kEcho}? HTTP/1.1`.length;
    const connection = await wire();
    await connection.write(upgradeRequest(`${kEcho}?${'q'.repeat(8000 - rest)}`));
    checkSwitching(await connection.response());
  });
  it('says that a longer target is too long (RFC 9112 3)', async ({ wire }) => {
    for (const length of [8193, 10000, 100000]) {
      const connection = await wire();
      await connection.write(get(`/${'p'.repeat(length)}`));
      assert.equal((await connection.response()).status, 414);
    }
  });
  it('takes the host of an absolute target (RFC 9112 3.2.2)', async ({ wire, mode }) => {
    for (const [scheme, host] of [['http', 'Example.org:80'], ['HTTP', '[::1]:3001'],
      ...(mode.secure ? [['https', 'example.org']] : [])]) {
      const connection = await wire();
      await connection.write(upgradeRequest(`${scheme}://${host}${kEcho}`, { headers: { Host: host } }));
      checkSwitching(await connection.response());
    }
  });
  for (const [name, target, host] of [['another Host', 'http://b', 'a'], ['another port', 'http://a:81', 'a'],
    ['no Host', 'http://a', null], ['user information (RFC 9110 4.2.4)', 'http://u:p@a', 'a'],
    ['an empty host (RFC 9110 4.2.1)', 'http://', ''], ['an empty Host', '', ''],
    ['another scheme', 'ws://a', 'a'], ['a scheme alone', 'http:', 'a']]) {
    it(`refuses a target with ${name}`, async ({ wire }) => {
      const connection = await wire();
      await connection.write(upgradeRequest(`${target}${kEcho}`, { headers: { Host: host } }));
      assert.equal((await connection.response()).status, 400);
      await connection.expectEnd();
    });
  }
  it('refuses an https target on a connection without TLS (RFC 9110 7.4)', async ({ wire, mode }) => {
    const connection = await wire();
    await connection.write(upgradeRequest(`https://a${kEcho}`, { headers: { Host: 'a' } }));
    const response = await connection.response();
    if (mode.secure) checkSwitching(response);
    else assert.equal(response.status, 421);
  });
  for (const [version, status] of [['HTTP/1.2', 505], ['HTTP/1.9', 505], ['HTTP/0.9', 505],
    ['HTTP/2.0', 505], ['HTTP/9.9', 505]]) {
    it(`does not speak ${version}`, async ({ wire }) => {
      const connection = await wire();
      await connection.write(upgrade({}, { version }));
      const response = await connection.response();
      assert.equal(response.status, status);
      assert.match(response.body.toString(), /HTTP\/1\.1/, 'says what it speaks (RFC 9110 15.6.6)');
      await connection.expectEnd();
    });
  }
  it('refuses a second empty line before a request', async ({ wire }) => {
    const connection = await wire();
    await connection.write(Buffer.concat([Buffer.from('\r\n\r\n'), get('/none')]));
    assert.equal((await connection.response()).status, 400);
  });
  it('ignores an empty line after a body too (RFC 9112 2.2)', async ({ wire }) => {
    const connection = await wire();
    const post = request('POST', '/none', { headers: { 'Content-Length': '2' }, body: 'hi\r\n' });
    await connection.write(Buffer.concat([post, upgrade({})]));
    assert.equal((await connection.response()).status, 404);
    const response = await connection.response();
    checkSwitching(response);
    await new Peer(connection, response).finish();
  });
});
