// /echo behaves as the smallest of servers does: a greeting, {"echo": what was sent}, and
// "invalid json" for the rest. The judge is JSON.parse and JSON.stringify themselves.
import assert from 'node:assert/strict';
import { binary, text } from '../support/frames.mjs';
import { request, upgradeRequest } from '../support/http.mjs';
import { suite } from '../support/suite.mjs';

const kGreeting = '{"hello":"world"}';

function expected(bytes) {
  try {
    return JSON.stringify({ echo: JSON.parse(Buffer.from(bytes).toString()) });
  } catch {
    return 'invalid json';
  }
}

const kTexts = ['{}', '[]', '""', '0', '-1', '1.5', 'true', 'false', 'null', '{"msg":"hi"}',
  '{"a":{"b":[1,2,{"c":null}]}}', ' { "a" : 1 } ', '\n[\t1 ,\r 2 ]\n', '"é"', '"\\u00e9"', '"\\n\\t\\""',
  '"\\/"', '"a/b"', '"\u2028"', '"\u{1f44b}"', '"\\ud83d\\udc4b"', '"\\ud800"', '"\\u0000"', '"\\u007f"', '1.0',
  '1e3', '1E+2', '1e21', '1e-7', '123456789012345678901', '0.1', '-0', '-0.0', '1e400', '1.7976931348623157e308',
  '5e-324', '9007199254740993', '{"a":1,"a":2}', '{"b":1,"a":2}', '{"2":1,"1":2,"x":3}', '{"":0}',
  '{"__proto__":1}', '{"constructor":{"prototype":1}}', '[[[[[[[[[[1]]]]]]]]]]',
  '', ' ', '{', '}', '[1,]', '{"a":1,}', "{'a':1}", '{a:1}', 'nul', 'NaN', 'Infinity', '01', '1.', '.5', '+1', '--1',
  '0x10', '1e', '"', '"\n"', '"\t"', '"\\x"', '"\\u12"', 'hello', '[1 2]', '{"a" 1}', '1 2', '{}{}', '[]x', '//c\n1',
  '\ufeff{}', '\u00a01', '[1]\u0000', 'undefined', '"a"b'];

suite('/echo', { path: '/echo', conformance: false }, (it) => {
  it('greets', async ({ open }) => {
    const peer = await open();
    await peer.expectMessage('text', kGreeting);
    await peer.finish();
  });
  for (const sample of kTexts) {
    it(`answers ${JSON.stringify(sample)} with ${expected(sample).slice(0, 50)}`, async ({ open }) => {
      const peer = await open();
      await peer.expectMessage('text', kGreeting);
      await peer.send(text(sample));
      await peer.expectMessage('text', expected(sample));
      await peer.finish();
    });
  }
  it('answers JSON in a binary message with text', async ({ open }) => {
    const peer = await open();
    await peer.expectMessage('text', kGreeting);
    await peer.send(binary('{"a":1}'), binary(Buffer.from([0xff, 0xfe])));
    await peer.expectMessage('text', '{"echo":{"a":1}}');
    await peer.expectMessage('text', 'invalid json');
    await peer.finish();
  });
  it('answers in order', async ({ open }) => {
    const peer = await open();
    await peer.expectMessage('text', kGreeting);
    await peer.send(...Array.from({ length: 200 }, (_, i) => text(i % 3 ? `{"i":${i}}` : 'no json')));
    for (let i = 0; i < 200; i++) {
      await peer.expectMessage('text', i % 3 ? `{"echo":{"i":${i}}}` : 'invalid json');
    }
    await peer.finish();
  });
  it('answers 100 levels of nesting', async ({ open }) => {
    const peer = await open();
    await peer.expectMessage('text', kGreeting);
    const deep = '['.repeat(100) + ']'.repeat(100);
    await peer.send(text(deep));
    await peer.expectMessage('text', `{"echo":${deep}}`);
    await peer.finish();
  });
  it('survives half a million levels of nesting', async ({ open }) => {
    const peer = await open();
    await peer.expectMessage('text', kGreeting);
    await peer.send(text('['.repeat(500000)));
    await peer.expectMessage('text', 'invalid json');
    await peer.send(text('['.repeat(500000) + ']'.repeat(500000)), text('1'));
    await peer.message();
    await peer.expectMessage('text', '{"echo":1}');
    await peer.finish();
  });
  it('hides /conformance/echo unless asked for', async ({ wire }) => {
    const connection = await wire();
    await connection.write(upgradeRequest('/conformance/echo'));
    assert.equal((await connection.response()).status, 404);
  });
});

suite('/ is off', { path: '/' }, (it) => {
  it('is nowhere', async ({ wire }) => {
    const connection = await wire();
    await connection.write(upgradeRequest('/'));
    assert.equal((await connection.response()).status, 404);
  });
});

suite('/ is echo', { path: '/', flags: { 'raw.root': 'echo' } }, (it) => {
  it('does what /echo does', async ({ open }) => {
    const peer = await open();
    await peer.expectMessage('text', kGreeting);
    await peer.send(text('{"msg":"x"}'), text('x'));
    await peer.expectMessage('text', '{"echo":{"msg":"x"}}');
    await peer.expectMessage('text', 'invalid json');
    await peer.finish();
  });
});

suite('/ is a channel', { path: '/', flags: { 'raw.root': 'channel:lobby' } }, (it) => {
  it('is the channel of that name', async ({ open }) => {
    const [a, b] = [await open(), await open({ path: '/raw/lobby' })];
    await a.send(text('ready'));
    await a.expectMessage('text', 'ready');
    await b.send(text('everybody'));
    await a.expectMessage('text', 'everybody');
  });
});

suite('endpoints switched off', { flags: { 'raw.enabled': 'false', 'raw.echo': 'false' } }, (it) => {
  for (const path of ['/raw/x', '/echo']) {
    it(`has no ${path}`, async ({ wire }) => {
      const connection = await wire();
      await connection.write(upgradeRequest(path));
      assert.equal((await connection.response()).status, 404);
      await connection.write(request('GET', path));
    });
  }
});
