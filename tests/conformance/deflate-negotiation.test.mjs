// RFC 7692 7.1: which offers are taken, which declined, and what the answer may say.
import assert from 'node:assert/strict';
import { upgradeRequest } from '../support/http.mjs';
import { suite } from '../support/suite.mjs';

const kFlags = { 'websocket.compression': 'dedicated', 'websocket.compression_bytes_min': '0' };
const kKnown = ['server_no_context_takeover', 'client_no_context_takeover', 'server_max_window_bits',
  'client_max_window_bits'];

/** The answer's own rules (7.1.1, 7.1.2), given the parameters of the offer that was taken. */
function checkAnswer(agreed, offer) {
  for (const [name, value] of Object.entries(agreed)) {
    assert.ok(kKnown.includes(name), `unknown parameter ${name}`);
    if (name.endsWith('takeover')) assert.equal(value, true, `${name} has no value`);
    else assert.match(String(value), /^(8|9|1[0-5])$/, `${name} needs its value`);
  }
  if (offer.server_no_context_takeover) assert.ok(agreed.server_no_context_takeover);
  if (offer.server_max_window_bits) {
    assert.ok(Number(agreed.server_max_window_bits) <= Number(offer.server_max_window_bits));
  }
  if (agreed.client_max_window_bits !== undefined) {
    assert.ok(offer.client_max_window_bits !== undefined, 'client_max_window_bits was not offered');
  }
}

const parse = (offer) => Object.fromEntries(offer.split(';').slice(1).map((part) => {
  const [name, value] = part.split('=').map((side) => side.trim());
  return [name, value?.replace(/"/g, '') ?? true];
}));

/** Messages that only come back whole when both sides keep to the same contexts and windows. */
async function converse(peer) {
  const samples = ['', 'Hello', 'Hello', 'abc'.repeat(1000), 'Hello again', 'abc'.repeat(1001)];
  for (const sample of samples) {
    await peer.sendMessage('text', sample);
    await peer.expectMessage('text', sample);
  }
  await peer.sendMessage('text', 'sent plain', { plain: true });
  await peer.expectMessage('text', 'sent plain');
  await peer.sendMessage('binary', Buffer.from([0, 255, 1, 254]));
  await peer.expectMessage('binary', Buffer.from([0, 255, 1, 254]));
  await peer.finish();
}

const kServerContext = ['', 'server_no_context_takeover'];
const kClientContext = ['', 'client_no_context_takeover'];
const kServerWindow = ['', ...[9, 10, 11, 12, 13, 14, 15].map((n) => `server_max_window_bits=${n}`)];
const kClientWindow = ['', 'client_max_window_bits',
  ...[8, 9, 10, 11, 12, 13, 14, 15].map((n) => `client_max_window_bits=${n}`)];

const offers = [];
for (const server of kServerContext) {
  for (const client of kClientContext) {
    for (const window of kServerWindow) offers.push([server, client, window]);
    for (const window of kClientWindow.slice(1)) offers.push([server, client, window]);
  }
}
for (const bits of [9, 12, 15]) {
  for (const window of kClientWindow.slice(1)) offers.push([`server_max_window_bits=${bits}`, window]);
}
offers.push(['server_no_context_takeover', 'client_no_context_takeover',
  'server_max_window_bits=10', 'client_max_window_bits=11']);
offers.push(['client_max_window_bits', 'server_max_window_bits=9', 'client_no_context_takeover',
  'server_no_context_takeover']);

const kDeclined = [
  'server_max_window_bits', 'server_max_window_bits=7', 'server_max_window_bits=16',
  'server_max_window_bits=0', 'server_max_window_bits=1', 'server_max_window_bits=09',
  'server_max_window_bits=015', 'server_max_window_bits=+9', 'server_max_window_bits=-9',
  'server_max_window_bits=abc', 'server_max_window_bits=9a', 'server_max_window_bits=100',
  'server_max_window_bits=4294967305', 'server_max_window_bits=1e1', 'server_max_window_bits=0x9',
  'client_max_window_bits=7', 'client_max_window_bits=16', 'client_max_window_bits=0',
  'client_max_window_bits=08', 'client_max_window_bits=abc', 'client_max_window_bits=4294967305',
  'server_no_context_takeover=1', 'server_no_context_takeover=true', 'client_no_context_takeover=0',
  'server_no_context_takeover; server_no_context_takeover',
  'client_no_context_takeover; client_no_context_takeover',
  'server_max_window_bits=9; server_max_window_bits=9',
  'server_max_window_bits=10; server_max_window_bits=9',
  'client_max_window_bits; client_max_window_bits', 'client_max_window_bits; client_max_window_bits=9',
  'unknown', 'unknown=1', 'mode=fast', 'toString', '__proto__=1', 'constructor',
  'client_max_window_bits; unknown', 'server_no_context_takeove', 'server_no_context_takeoverr',
];

const kMalformed = [';', ';;', 'permessage-deflate;', 'permessage-deflate;;', 'permessage-deflate; =9',
  'permessage-deflate; server_max_window_bits=', 'permessage-deflate; server_max_window_bits="9',
  'permessage-deflate; a b', 'permessage-deflate server_no_context_takeover', '"permessage-deflate"',
  'permessage-deflate; server_max_window_bits==9', 'permessage-deflate=1',
  'permessage-deflate; server_max_window_bits="1 0"', 'permessage-deflate; x="a\\"', '='];

// A quoted value must be a token once unquoted (RFC 6455 9.1); these must not be cut at the comma.
const kQuoted = ['x-odd; a="b, permessage-deflate; unknown", permessage-deflate',
  'x-odd; a="b\\"c, permessage-deflate; unknown", permessage-deflate'];

const kFallback = [
  ['the second after an unknown parameter', 'permessage-deflate; unknown, permessage-deflate', {}],
  ['the second after a bad window',
    'permessage-deflate; server_max_window_bits=99, permessage-deflate; server_max_window_bits=10',
    { server_max_window_bits: '10' }],
  ['the second after an unknown extension', 'x-webkit-deflate-frame, permessage-deflate', {}],
  ['the first of two good ones',
    'permessage-deflate; server_max_window_bits=10, permessage-deflate', { server_max_window_bits: '10' }],
  ['the third of three', 'permessage-deflate; a, permessage-deflate; b=1, permessage-deflate; ' +
    'server_no_context_takeover', { server_no_context_takeover: true }],
  ['one of many', Array.from({ length: 40 }, (_, i) => `permessage-deflate; p${i}`).join(', ') +
    ', permessage-deflate', {}],
];

suite('deflate offers', { flags: kFlags }, (it) => {
  for (const parts of offers) {
    const offer = ['permessage-deflate', ...parts.filter(Boolean)].join('; ');
    it(`takes ${offer}`, async ({ open }) => {
      const peer = await open({ extensions: offer });
      assert.ok(peer.deflate, 'agreed');
      checkAnswer(peer.deflate, parse(offer));
      await converse(peer);
    });
  }
  it('takes or declines a server window of 8 bits, and keeps to it', async ({ open }) => {
    const peer = await open({ extensions: 'permessage-deflate; server_max_window_bits=8' });
    if (peer.deflate) checkAnswer(peer.deflate, { server_max_window_bits: '8' });
    await converse(peer);
  });
  for (const offer of ['permessage-deflate; server_max_window_bits="10"',
    'permessage-deflate; client_max_window_bits="10"', 'permessage-deflate;server_max_window_bits=10',
    'permessage-deflate \t;\t server_max_window_bits=10', 'permessage-deflate; server_max_window_bits="1\\0"']) {
    it(`reads ${JSON.stringify(offer)} as RFC 6455 9.1 writes it`, async ({ open }) => {
      const peer = await open({ extensions: offer });
      assert.ok(peer.deflate, 'agreed');
      checkAnswer(peer.deflate, offer.includes('client')
        ? { client_max_window_bits: '10' } : { server_max_window_bits: '10' });
      await converse(peer);
    });
  }
  for (const bad of kDeclined) {
    it(`declines permessage-deflate; ${bad}`, async ({ open }) => {
      const peer = await open({ extensions: `permessage-deflate; ${bad}` });
      assert.equal(peer.deflate, undefined);
      await converse(peer);
    });
    it(`falls back from permessage-deflate; ${bad}`, async ({ open }) => {
      const peer = await open({ extensions: `permessage-deflate; ${bad}, permessage-deflate` });
      assert.ok(peer.deflate, 'agreed');
      checkAnswer(peer.deflate, {});
      await converse(peer);
    });
  }
  for (const header of kMalformed) {
    it(`refuses the malformed ${header} (6455 9.1)`, async ({ wire }) => {
      const connection = await wire();
      await connection.write(upgradeRequest('/conformance/echo', {
        headers: { 'Sec-WebSocket-Extensions': header } }));
      const { status, headers } = await connection.response();
      assert.equal(status, 400);
      assert.equal(headers.get('sec-websocket-extensions'), undefined);
    });
  }
  for (const header of kQuoted) {
    it(`refuses what is no token within the quotes of ${header}`, async ({ wire }) => {
      const connection = await wire();
      await connection.write(upgradeRequest('/conformance/echo', {
        headers: { 'Sec-WebSocket-Extensions': header } }));
      assert.equal((await connection.response()).status, 400);
    });
  }
  for (const [name, header, offer] of kFallback) {
    it(`takes ${name}`, async ({ open }) => {
      const peer = await open({ extensions: header });
      assert.ok(peer.deflate, 'agreed');
      assert.ok(!peer.response.headers.get('sec-websocket-extensions').includes(','), 'once');
      checkAnswer(peer.deflate, offer);
      await converse(peer);
    });
  }
  it('takes an offer spread over two headers', async ({ open }) => {
    const peer = await open({ headers: {
      'Sec-WebSocket-Extensions': ['x-none', 'permessage-deflate; client_max_window_bits'] } });
    assert.ok(peer.deflate, 'agreed');
    await converse(peer);
  });
  it('takes empty list elements for nothing (RFC 9110 5.6.1.2)', async ({ open }) => {
    for (const list of ['', ',', ' , ,', ', permessage-deflate ,,']) {
      const peer = await open({ headers: { 'Sec-WebSocket-Extensions': list } });
      assert.equal(!!peer.deflate, list.includes('deflate'));
      await converse(peer);
    }
  });
  it('reads 8000 bytes of separators in no time', async ({ open }) => {
    const begun = performance.now();
    const peer = await open({ extensions: `x${' '.repeat(8000)}; ${'a;'.repeat(1000)}b` });
    assert.ok(performance.now() - begun < 1000);
    await peer.finish();
  });
  it('agrees to nothing that was not offered', async ({ open }) => {
    const peer = await open();
    assert.equal(peer.deflate, undefined);
    await converse(peer);
  });
});

suite('compression = off', { flags: { 'websocket.compression': 'off' } }, (it) => {
  it('declines every offer', async ({ open }) => {
    const peer = await open({ extensions: 'permessage-deflate; client_max_window_bits' });
    assert.equal(peer.deflate, undefined);
    await converse(peer);
  });
});

suite('compression = shared', {
  flags: { 'websocket.compression': 'shared', 'websocket.compression_bytes_min': '0' },
}, (it) => {
  for (const parts of offers.filter((_, i) => i % 3 === 0)) {
    const offer = ['permessage-deflate', ...parts.filter(Boolean)].join('; ');
    it(`takes ${offer}`, async ({ open }) => {
      const peer = await open({ extensions: offer });
      assert.ok(peer.deflate, 'agreed');
      checkAnswer(peer.deflate, parse(offer));
      await converse(peer);
    });
  }
});
