// RFC 6455 4: the opening handshake, refused and accepted, and the HTTP around it (RFC 9112).
import assert from 'node:assert/strict';
import { close, kPong, ping, text } from '../support/frames.mjs';
import { kKey, upgradeRequest } from '../support/http.mjs';
import { checkSwitching, Peer } from '../support/peer.mjs';
import { pool } from '../support/poll.mjs';
import { kEcho, suite } from '../support/suite.mjs';

const path = kEcho;
const header = (headers) => upgradeRequest(path, { headers });
const extra = (...lines) => upgradeRequest(path, { extra: lines });
const line = (text_) => upgradeRequest(path, { line: text_ });

const kAccepted = [
  ['the plain request', header({})],
  ['header names in any case', upgradeRequest(path, {
    headers: { Host: null, Upgrade: null, Connection: null, 'Sec-WebSocket-Key': null,
      'Sec-WebSocket-Version': null },
    extra: ['hOST: x', 'UPGRADE: websocket', 'connection: upgrade', `SEC-WEBSOCKET-KEY: ${kKey}`,
      'sec-websocket-version: 13'] })],
  ['the fields in any order', upgradeRequest(path, {
    headers: { Host: null, Upgrade: null, Connection: null, 'Sec-WebSocket-Key': null,
      'Sec-WebSocket-Version': null },
    extra: ['Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${kKey}`, 'Connection: Upgrade',
      'Upgrade: websocket', 'Host: x'] })],
  ['Upgrade: WebSocket', header({ Upgrade: 'WebSocket' })],
  ['Upgrade: WEBSOCKET', header({ Upgrade: 'WEBSOCKET' })],
  ['websocket among several upgrades', header({ Upgrade: 'h2c, websocket' })],
  ['websocket first among several upgrades', header({ Upgrade: 'websocket, h2c' })],
  ['two Upgrade headers', header({ Upgrade: ['h2c', 'websocket'] })],
  ['Connection: upgrade', header({ Connection: 'upgrade' })],
  ['Connection: keep-alive, Upgrade', header({ Connection: 'keep-alive, Upgrade' })],
  ['Connection: Upgrade,keep-alive', header({ Connection: 'Upgrade,keep-alive' })],
  ['Connection with empty list elements', header({ Connection: ', Upgrade ,' })],
  ['Connection with tabs', header({ Connection: 'keep-alive\t,\tUPGRADE' })],
  ['two Connection headers', header({ Connection: ['keep-alive', 'Upgrade'] })],
  ['space around a value', header({ 'Sec-WebSocket-Key': ` \t ${kKey} \t ` })],
  ['no space after the colon', extra('X-Tight:value')],
  ['an empty value', extra('X-Empty:')],
  ['a value with bytes above 7F', extra('X-Latin: caf\xe9')],
  ['every token character in a name', extra("X!#$%&'*+-.^_`|~9: token")],
  ['a query', upgradeRequest(`${path}?a=1&b=%20`)],
  ['an empty query', upgradeRequest(`${path}?`)],
  ['the absolute form (RFC 9112 3.2.2)', upgradeRequest(`http://127.0.0.1${path}`)],
  ['an empty line before the request (RFC 9112 2.2)', Buffer.concat([Buffer.from('\r\n'), header({})])],
  ['a Host with a port', header({ Host: 'localhost:3001' })],
  ['a Host that is an IPv6 address', header({ Host: '[::1]:3001' })],
  ['an Origin', header({ Origin: 'https://example.com' })],
  ['credentials of any kind', header({ Authorization: 'Bearer abc.def.ghi', Cookie: 'session=1' })],
  ['a cookie', header({ Cookie: 'a=b; c="d e"' })],
  ['a subprotocol nobody knows, not selected', header({ 'Sec-WebSocket-Protocol': 'nobody' })],
  ['an extension nobody knows, not agreed', header({ 'Sec-WebSocket-Extensions': 'x-none; a=b' })],
  ['ninety more headers', extra(...Array.from({ length: 90 }, (_, i) => `X-${i}: ${i}`))],
  ['a head of 15 KiB', extra(`X-Long: ${'v'.repeat(15 * 1024)}`)],
];

// [name, request, status]. Where an RFC leaves the status open it is the one this server chose.
const kRefused = [
  ['no key', header({ 'Sec-WebSocket-Key': null }), 400],
  ['an empty key', header({ 'Sec-WebSocket-Key': '' }), 400],
  ['a short key', header({ 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZQ==' }), 400],
  ['a long key', header({ 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZSBpcyBsb25n' }), 400],
  ['a key without padding', header({ 'Sec-WebSocket-Key': kKey.slice(0, 22) }), 400],
  ['a key with characters outside base64', header({ 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZ*Bub25jZQ==' }), 400],
  ['a key with padding inside', header({ 'Sec-WebSocket-Key': 'dGhlIHNhbXBs==Bub25jZQ==' }), 400],
  ['two keys', header({ 'Sec-WebSocket-Key': [kKey, kKey] }), 400],
  ['two different keys', header({ 'Sec-WebSocket-Key': [kKey, 'AAAAAAAAAAAAAAAAAAAAAA=='] }), 400],
  ['two keys in one line', header({ 'Sec-WebSocket-Key': `${kKey}, ${kKey}` }), 400],
  ['no version', header({ 'Sec-WebSocket-Version': null }), 426],
  ['an empty version', header({ 'Sec-WebSocket-Version': '' }), 426],
  ['version 013', header({ 'Sec-WebSocket-Version': '013' }), 426],
  ['version 13.0', header({ 'Sec-WebSocket-Version': '13.0' }), 426],
  ['version thirteen', header({ 'Sec-WebSocket-Version': 'thirteen' }), 426],
  ['version 269, which is 13 in eight bits', header({ 'Sec-WebSocket-Version': '269' }), 426],
  ['versions 13, 8', header({ 'Sec-WebSocket-Version': '13, 8' }), 426],
  ['two version headers', header({ 'Sec-WebSocket-Version': ['13', '13'] }), 400],
  ['no Host (RFC 9112 3.2)', header({ Host: null }), 400],
  ['two Hosts', header({ Host: ['a', 'a'] }), 400],
  ['two different Hosts', header({ Host: ['a', 'b'] }), 400],
  ['a Host with a space', header({ Host: 'a b' }), 400],
  ['a Host with a slash', header({ Host: 'a/b' }), 400],
  ['a Host with user information', header({ Host: 'user@host' }), 400],
  ['a list of Hosts', header({ Host: 'a, b' }), 400],
  ['no Upgrade', header({ Upgrade: null }), 426],
  ['an empty Upgrade', header({ Upgrade: '' }), 426],
  ['Upgrade: websockets', header({ Upgrade: 'websockets' }), 426],
  ['Upgrade: h2c', header({ Upgrade: 'h2c' }), 426],
  ['no Connection', header({ Connection: null }), 426],
  ['Connection: keep-alive', header({ Connection: 'keep-alive' }), 426],
  ['Connection: Upgraded', header({ Connection: 'Upgraded' }), 426],
  ['Connection: xUpgrade', header({ Connection: 'xUpgrade' }), 426],
  ['Connection: "Upgrade" in quotes', header({ Connection: '"Upgrade"' }), 426],
  ['a body by Content-Length', Buffer.concat([extra('Content-Length: 5'), Buffer.from('hello')]), 400],
  ['a body in chunks', Buffer.concat([extra('Transfer-Encoding: chunked'),
    Buffer.from('5\r\nhello\r\n0\r\n\r\n')]), 400],
  ['Content-Length and Transfer-Encoding', extra('Content-Length: 5', 'Transfer-Encoding: chunked'), 400],
  ['Transfer-Encoding and Content-Length', extra('Transfer-Encoding: chunked', 'Content-Length: 0'), 400],
  ['two lengths', extra('Content-Length: 0', 'Content-Length: 5'), 400],
  ['two equal lengths', extra('Content-Length: 5', 'Content-Length: 5'), 400],
  ['a length of -1', extra('Content-Length: -1'), 400],
  ['a length of +0', extra('Content-Length: +0'), 400],
  ['a length of 0x0', extra('Content-Length: 0x0'), 400],
  ['a length with a space in it', extra('Content-Length: 0 0'), 400],
  ['an empty length', extra('Content-Length:'), 400],
  ['a length past 64 bits', extra('Content-Length: 18446744073709551616'), 400],
  ['a coding nobody knows', extra('Transfer-Encoding: gzip'), 400],
  ['chunked not last', extra('Transfer-Encoding: chunked, gzip'), 400],
  ['xchunked', extra('Transfer-Encoding: xchunked'), 400],
  ['chunked twice', extra('Transfer-Encoding: chunked, chunked'), 501],
  ['chunked behind a vertical tab', extra('Transfer-Encoding: \x0bchunked'), 400],
  ['HTTP/1.0', upgradeRequest(path, { version: 'HTTP/1.0' }), 426],
  ['HTTP/0.9', line(`GET ${path}`), 400],
  ['HTTP/2.0', line(`GET ${path} HTTP/2.0`), 505],
  ['HTTP/1.10', line(`GET ${path} HTTP/1.10`), 400],
  ['http/1.1', line(`GET ${path} http/1.1`), 400],
  ['HTTP 1.1', line(`GET ${path} HTTP 1.1`), 400],
  ['HTTP/1,1', line(`GET ${path} HTTP/1,1`), 400],
  ['HTTPS/1.1', line(`GET ${path} HTTPS/1.1`), 400],
  ['ICE/1.0', line(`GET ${path} ICE/1.0`), 400],
  ['two spaces in the request line', line(`GET  ${path} HTTP/1.1`), 400],
  ['a tab in the request line', line(`GET\t${path} HTTP/1.1`), 400],
  ['two spaces before the version', line(`GET ${path}  HTTP/1.1`), 400],
  ['a space after the version', line(`GET ${path} HTTP/1.1 `), 400],
  ['a space before the method', line(` GET ${path} HTTP/1.1`), 400],
  ['no method', line(`${path} HTTP/1.1`), 400],
  ['no target', line('GET HTTP/1.1'), 400],
  ['an empty target', line('GET  HTTP/1.1'), 400],
  ['a relative target', line(`GET ${path.slice(1)} HTTP/1.1`), 400],
  ['the asterisk form', line('GET * HTTP/1.1'), 400],
  ['a fragment in the target', line(`GET ${path}#x HTTP/1.1`), 400],
  ['a space in the target', line('GET /conformance/ echo HTTP/1.1'), 400],
  ['a control character in the target', line('GET /conformance/\x01echo HTTP/1.1'), 400],
  ['a NUL in the target', line('GET /conformance/echo\x00 HTTP/1.1'), 400],
  ['bytes above 7F in the target', line('GET /conformance/\xe9cho HTTP/1.1'), 400],
  ['the target of another house', upgradeRequest('/no/such/thing'), 404],
  ['the method POST', upgradeRequest(path, { method: 'POST' }), 405],
  ['the method HEAD', upgradeRequest(path, { method: 'HEAD' }), 405],
  ['the method PUT', upgradeRequest(path, { method: 'PUT' }), 405],
  ['the method OPTIONS', upgradeRequest(path, { method: 'OPTIONS' }), 405],
  ['the method CONNECT', upgradeRequest(path, { method: 'CONNECT' }), 501],
  ['the method TRACE', upgradeRequest(path, { method: 'TRACE' }), 501],
  ['the method get', upgradeRequest(path, { method: 'get' }), 501],
  ['the method BREW', upgradeRequest(path, { method: 'BREW' }), 501],
  ['the method of 5000 letters', upgradeRequest(path, { method: 'G'.repeat(5000) }), 501],
  ['a method that is no token', upgradeRequest(path, { method: 'G(T' }), 400],
  ['the preface of HTTP/2', Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), 505],
  ['a space before a colon (RFC 9112 5.1)', extra('X-Bad : value'), 400],
  ['a tab before a colon', extra('X-Bad\t: value'), 400],
  ['a folded line (5.2)', extra('X-Folded: one', ' two'), 400],
  ['a folded line by a tab', extra('X-Folded: one', '\ttwo'), 400],
  ['a first header that starts with a space', upgradeRequest(path, {
    line: `GET ${path} HTTP/1.1\r\n X-Odd: 1` }), 400],
  ['a line without a colon', extra('NoColonHere'), 400],
  ['an empty name', extra(': value'), 400],
  ['a space in a name', extra('X Bad: value'), 400],
  ['a name in brackets', extra('X(Bad): value'), 400],
  ['a name with bytes above 7F', extra('X-\xe9: value'), 400],
  ['a name with a NUL', extra('X-\x00: value'), 400],
  ['a NUL in a value', extra('X-Bad: a\x00b'), 400],
  ['a bare CR in a value', extra('X-Bad: a\rb'), 400],
  ['a bare CR that hides a header', extra('X-Bad: a\rContent-Length: 5'), 400],
  ['a bare LF as a line end', upgradeRequest(path, { eol: '\n' }), 400],
  ['one bare LF that hides a header', extra('X-Bad: a\nX-Hidden: b'), 400],
  ['a control character in a value', extra('X-Bad: a\x07b'), 400],
  ['DEL in a value', extra('X-Bad: a\x7fb'), 400],
  ['two CRs before a LF', extra('X-Bad: a\r'), 400],
  ['101 headers', extra(...Array.from({ length: 97 }, (_, i) => `X-${i}: ${i}`)), 431],
  ['1000 headers', extra(...Array.from({ length: 1000 }, (_, i) => `X-${i}: ${i}`)), 431],
  ['a head of 17 KiB', extra(`X-Long: ${'v'.repeat(17 * 1024)}`), 431],
  ['a name of 17 KiB', extra(`${'n'.repeat(17 * 1024)}: v`), 431],
  ['a target of 17 KiB', upgradeRequest(`/${'p'.repeat(17 * 1024)}`), 414],
  ['a head of 1 MiB', extra(...Array.from({ length: 64 }, (_, i) => `X-${i}: ${'v'.repeat(16384)}`)), 431],
  ['a head without an end', Buffer.from(`GET ${path} HTTP/1.1\r\nX: ${'v'.repeat(20000)}`), 431],
  ['a request line without an end', Buffer.from(`GET /${'a'.repeat(20000)}`), 414],
  ['garbage', Buffer.from([0, 1, 2, 3, 255, 254, 253, 13, 10, 13, 10]), 400],
];

for (const bad of ['0', '1', '7', '8', '9', '12', '14', '255', '256']) {
  kRefused.push([`version ${bad}`, header({ 'Sec-WebSocket-Version': bad }), 426]);
}

async function expectRefusal(wire, status, method) {
  const response = await wire.response({ method });
  assert.ok(response, `an answer, not the end (${wire.error?.code ?? 'FIN'})`);
  assert.equal(response.status, status);
  assert.equal(response.headers.get('sec-websocket-accept'), undefined);
  if (response.status === 426) {
    assert.equal(response.headers.get('upgrade')?.toLowerCase(), 'websocket', 'RFC 9110 15.5.22');
    assert.match(response.headers.get('connection') ?? '', /upgrade/i, 'RFC 9110 7.8');
    assert.equal(response.headers.get('sec-websocket-version'), '13', 'RFC 6455 4.4');
  }
  return response;
}

suite('handshake', {}, (it) => {
  for (const [name, bytes] of kAccepted) {
    it(`accepts ${name}`, async ({ wire }) => {
      const connection = await wire();
      await connection.write(bytes);
      const response = await connection.response();
      checkSwitching(response);
      assert.equal(response.headers.get('sec-websocket-protocol'), undefined);
      assert.equal(response.headers.get('sec-websocket-extensions'), undefined);
      const peer = new Peer(connection, response);
      await peer.send(text('hello'));
      await peer.expectMessage('text', 'hello');
      await peer.finish();
    });
  }
  for (const [name, bytes, status] of kRefused) {
    it(`refuses ${name}`, async ({ wire }) => {
      const connection = await wire();
      await connection.write(bytes);
      await expectRefusal(connection, status, name.split(' ').at(-1));
    });
  }
  it('accepts exactly 100 headers', async ({ wire }) => {
    const connection = await wire();
    await connection.write(extra(...Array.from({ length: 95 }, (_, i) => `X-${i}: ${i}`)));
    checkSwitching(await connection.response());
  });
  it('takes Content-Length: 0 for no body', async ({ wire }) => {
    const connection = await wire();
    await connection.write(extra('Content-Length: 0'));
    checkSwitching(await connection.response());
  });
  it('does not go on for ever about empty lines', async ({ wire }) => {
    const connection = await wire();
    await connection.write(Buffer.from('\r\n'.repeat(20000)));
    const response = await connection.response();
    if (response) assert.ok([400, 408, 431].includes(response.status), `${response.status}`);
  });
  it('never reflects what it was sent', async ({ wire }) => {
    const marks = ['zq1', 'zq2', 'zq3', 'zq4'];
    for (const request of [
      upgradeRequest('/zq1%0d%0aX-zq2:1', { headers: { 'Sec-WebSocket-Protocol': 'zq3', Origin: 'http://zq4' } }),
      upgradeRequest(`${path}?zq1=<zq2>`, { headers: { 'Sec-WebSocket-Version': 'zq3' } }),
      upgradeRequest(path, { headers: { 'Sec-WebSocket-Protocol': 'zq3, zq4', 'Sec-WebSocket-Extensions': 'zq1' } }),
    ]) {
      const connection = await wire();
      await connection.write(request);
      const response = await connection.response();
      const seen = JSON.stringify([...response.headers]) + response.body;
      for (const mark of marks) assert.ok(!seen.includes(mark), `${mark} in ${seen}`);
    }
  });
  for (const value of ['', ',', 'a,,b', ' , a', 'a ,\tb,']) {
    it(`reads the subprotocol list ${JSON.stringify(value)}`, async ({ wire }) => {
      const connection = await wire();
      await connection.write(header({ 'Sec-WebSocket-Protocol': value }));
      const response = await connection.response();
      checkSwitching(response);
      assert.equal(response.headers.get('sec-websocket-protocol'), undefined);
    });
  }
  for (const value of ['a b', 'a;b', '"a"', 'a\x7f', 'a, a', 'caf\xe9', 'a/b', 'a,b c', '{a}', 'a=b']) {
    it(`refuses the subprotocol list ${JSON.stringify(value)}`, async ({ wire }) => {
      const connection = await wire();
      await connection.write(header({ 'Sec-WebSocket-Protocol': value }));
      await expectRefusal(connection, 400);
    });
  }
  it('refuses a subprotocol offered twice over two headers', async ({ wire }) => {
    const connection = await wire();
    await connection.write(header({ 'Sec-WebSocket-Protocol': ['a, b', 'c, a'] }));
    await expectRefusal(connection, 400);
  });
});

suite('handshake in pieces', {}, (it) => {
  const head = header({});
  it('reads a head byte by byte', async ({ wire }) => {
    const connection = await wire();
    await connection.writeChopped(head, 1);
    checkSwitching(await connection.response());
  });
  it('reads a head cut at each byte', async ({ wire }) => {
    await pool(head.length - 1, 8, async (i) => {
      const connection = await wire();
      await connection.write(head.subarray(0, i + 1));
      await new Promise(setImmediate);
      await connection.write(head.subarray(i + 1));
      checkSwitching(await connection.response());
      connection.destroy();
    });
  });
  it('refuses a bad head cut at each byte just as well', async ({ wire }) => {
    const bad = extra('X-Bad: a\rb');
    await pool(bad.length - 1, 8, async (i) => {
      const connection = await wire();
      await connection.write(bad.subarray(0, i + 1));
      await new Promise(setImmediate);
      await connection.write(bad.subarray(i + 1));
      assert.equal((await connection.response()).status, 400);
      connection.destroy();
    });
  });
  it('reads a frame glued to the request', async ({ open }) => {
    const peer = await open({ glued: text('already') });
    await peer.expectMessage('text', 'already');
    await peer.finish();
  });
  it('reads a whole conversation glued to the request', async ({ open }) => {
    const glued = Buffer.concat([ping('p'), text('one'), text('two', { fin: false }), close(1000)]);
    const peer = await open({ glued });
    await peer.expectFrame(kPong, 'p');
    await peer.expectMessage('text', 'one');
    await peer.expectClose(1000, { answer: false });
  });
  it('reads a message of 60000 bytes glued to the request', async ({ open }) => {
    const peer = await open({ glued: text('g'.repeat(60000)) });
    await peer.expectMessage('text', 'g'.repeat(60000));
    await peer.finish();
  });
  it('reads half a frame glued to the request', async ({ open }) => {
    const bytes = text('halves');
    for (let cut = 1; cut < bytes.length; cut++) {
      const peer = await open({ glued: bytes.subarray(0, cut) });
      await peer.send(bytes.subarray(cut));
      await peer.expectMessage('text', 'halves');
      await peer.finish();
    }
  });
  it('takes what follows the request for frames, not for HTTP', async ({ open }) => {
    const peer = await open({ glued: header({}) });
    await peer.expectClose(1002);
  });
  it('cuts request, blank line and frame across writes', async ({ wire }) => {
    const all = Buffer.concat([head, text('glue')]);
    for (let cut = head.length - 4; cut < all.length; cut++) {
      const connection = await wire();
      await connection.write(all.subarray(0, cut));
      await new Promise(setImmediate);
      await connection.write(all.subarray(cut));
      const response = await connection.response();
      checkSwitching(response);
      const peer = new Peer(connection, response);
      await peer.expectMessage('text', 'glue');
      await peer.finish();
    }
  });
});
