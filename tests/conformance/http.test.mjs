// RFC 9112: plain requests on the same port: keep-alive, pipelining, framing of bodies, closing.
import assert from 'node:assert/strict';
import { text } from '../support/frames.mjs';
import { request, upgradeRequest } from '../support/http.mjs';
import { checkSwitching, Peer } from '../support/peer.mjs';
import { kEcho, suite } from '../support/suite.mjs';

const get = (path, options) => request('GET', path, options);

suite('plain HTTP', {}, (it) => {
  it('answers 404 for an unknown path', async ({ wire }) => {
    const connection = await wire();
    await connection.write(get('/nobody/home'));
    assert.equal((await connection.response()).status, 404);
  });
  for (const path of [kEcho, '/raw/room', '/echo']) {
    it(`answers 426 with Upgrade for a plain GET of ${path} (RFC 9110 15.5.22)`, async ({ wire }) => {
      const connection = await wire();
      await connection.write(get(path));
      const { status, headers } = await connection.response();
      assert.equal(status, 426);
      assert.equal(headers.get('upgrade')?.toLowerCase(), 'websocket');
      assert.match(headers.get('connection') ?? '', /upgrade/i);
    });
  }
  it('keeps the connection for ten requests', async ({ wire }) => {
    const connection = await wire();
    for (let i = 0; i < 10; i++) {
      await connection.write(get(`/none/${i}`));
      assert.equal((await connection.response()).status, 404);
    }
  });
  it('answers pipelined requests in order', async ({ wire }) => {
    const connection = await wire();
    const paths = ['/none', kEcho, '/none', '/none', kEcho, '/none'];
    await connection.write(Buffer.concat(paths.map((path) => get(path))));
    for (const path of paths) {
      assert.equal((await connection.response()).status, path === kEcho ? 426 : 404);
    }
  });
  it('answers pipelined requests written byte by byte', async ({ wire }) => {
    const connection = await wire();
    await connection.writeChopped(Buffer.concat([get('/none'), get(kEcho), get('/none')]), 1);
    for (const status of [404, 426, 404]) assert.equal((await connection.response()).status, status);
  });
  it('answers a hundred pipelined requests', async ({ wire }) => {
    const connection = await wire();
    await connection.write(Buffer.concat(Array(100).fill(get('/none'))));
    for (let i = 0; i < 100; i++) assert.equal((await connection.response()).status, 404);
  });
  it('upgrades after plain requests on the same connection', async ({ wire }) => {
    const connection = await wire();
    await connection.write(Buffer.concat([get('/none'), upgradeRequest(kEcho), text('third')]));
    assert.equal((await connection.response()).status, 404);
    const response = await connection.response();
    checkSwitching(response);
    const peer = new Peer(connection, response);
    await peer.expectMessage('text', 'third');
    await peer.finish();
  });
  it('closes after Connection: close', async ({ wire }) => {
    const connection = await wire();
    await connection.write(get('/none', { headers: { Connection: 'close' } }));
    const { status, headers } = await connection.response();
    assert.equal(status, 404);
    assert.equal(headers.get('connection')?.toLowerCase(), 'close');
    await connection.expectEnd();
  });
  it('answers nothing after Connection: close', async ({ wire }) => {
    const connection = await wire();
    await connection.write(Buffer.concat([get('/none', { headers: { Connection: 'close' } }), get('/x')]));
    assert.equal((await connection.response()).status, 404);
    await connection.expectEnd();
  });
  it('closes after a request in HTTP/1.0', async ({ wire }) => {
    const connection = await wire();
    await connection.write(get('/none', { version: 'HTTP/1.0' }));
    assert.equal((await connection.response()).status, 404);
    await connection.expectEnd();
  });
  it('answers HEAD without a body', async ({ wire }) => {
    const connection = await wire();
    await connection.write(Buffer.concat([request('HEAD', '/none'), get('/none')]));
    const first = await connection.response({ method: 'HEAD' });
    assert.ok([404, 405].includes(first.status), `${first.status}`);
    const second = await connection.response();
    if (second) assert.equal(second.status, 404);
  });

  const kHidden = upgradeRequest('/hidden');
  const kBodies = [
    ['a body by its length', { 'Content-Length': `${kHidden.length}` }, kHidden],
    ['a body in chunks', { 'Transfer-Encoding': 'chunked' }, Buffer.concat([
      Buffer.from(`${kHidden.length.toString(16)}\r\n`), kHidden, Buffer.from('\r\n0\r\n\r\n')])],
    ['a chunk extension', { 'Transfer-Encoding': 'chunked' }, Buffer.concat([
      Buffer.from(`${kHidden.length.toString(16)};a=b\r\n`), kHidden, Buffer.from('\r\n0\r\n\r\n')])],
    ['a trailer', { 'Transfer-Encoding': 'chunked' }, Buffer.concat([
      Buffer.from(`${kHidden.length.toString(16)}\r\n`), kHidden, Buffer.from('\r\n0\r\nX-T: 1\r\n\r\n')])],
  ];
  for (const method of ['GET', 'POST']) {
    for (const [name, headers, body] of kBodies) {
      it(`never takes ${name} of a ${method} for a request`, async ({ wire }) => {
        const connection = await wire();
        const follow = get('/none', { headers: { Connection: 'close' } });
        await connection.write(Buffer.concat([request(method, kEcho, { headers, body }), follow]));
        const first = await connection.response();
        assert.ok(first.status >= 400 && first.status !== 404, `${first.status}`);
        const second = await connection.response();
        if (second) {
          assert.equal(second.status, 404);
          await connection.expectEnd();
        }
      });
    }
  }
  const kAmbiguous = [
    ['CL and TE', ['Content-Length: 4', 'Transfer-Encoding: chunked']],
    ['TE and CL', ['Transfer-Encoding: chunked', 'Content-Length: 4']],
    ['two CL', ['Content-Length: 4', 'Content-Length: 40']],
    ['a list of CL', ['Content-Length: 4, 40']],
    ['two TE', ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity']],
    ['TE: chunked with a space before the colon', ['Transfer-Encoding : chunked']],
    ['TE after a bare LF', ['X: y\nTransfer-Encoding: chunked']],
    ['TE folded', ['Transfer-Encoding:', ' chunked']],
    ['CL with a plus', ['Content-Length: +4']],
    ['CL in hex', ['Content-Length: 0x4']],
    ['CL with an underscore', ['Content-Length: 4_0']],
  ];
  for (const [name, lines] of kAmbiguous) {
    it(`refuses ${name} and closes, so that nothing can hide behind it`, async ({ wire }) => {
      const connection = await wire();
      const head = ['POST / HTTP/1.1', 'Host: a', ...lines, '', ''].join('\r\n');
      await connection.write(Buffer.concat([Buffer.from(head), Buffer.from('0\r\n\r\n'), get('/none')]));
      const response = await connection.response();
      assert.ok(response, 'an answer');
      assert.ok([400, 501].includes(response.status), `${response.status}`);
      await connection.expectEnd();
    });
  }
  const kChunks = ['G\r\n', '-1\r\n', '+5\r\nhello\r\n', '0x5\r\nhello\r\n', '5 \r\nhello\r\n0\r\n\r\n',
    '5\nhello\n0\n\n', 'FFFFFFFFFFFFFFFFF\r\n', '5\r\nhelloXX0\r\n\r\n', '\r\n', ';x\r\n'];
  for (const chunk of kChunks) {
    it(`does not survive the chunk ${JSON.stringify(chunk)}`, async ({ wire }) => {
      const connection = await wire();
      const head = request('POST', kEcho, { headers: { 'Transfer-Encoding': 'chunked' }, body: chunk });
      await connection.write(Buffer.concat([head, get('/none')]));
      const response = await connection.response();
      assert.ok(response && response.status >= 400 && response.status !== 404, `${response?.status}`);
      await connection.expectEnd();
    });
  }
  it('does not leave a client that asks before sending its body without an answer', async ({ wire }) => {
    const connection = await wire();
    await connection.write(request('POST', kEcho, {
      headers: { Expect: '100-continue', 'Content-Length': '5' } }));
    const { status } = await connection.response();
    assert.ok(status >= 400 || status === 100, `${status}`);
  });
});

suite('HTTP deadlines', {
  flags: { 'http.head_timeout': '600ms', 'http.keep_alive_timeout': '600ms' },
}, (it) => {
  it('cuts a connection that says nothing', async ({ wire }) => {
    const connection = await wire();
    const begun = performance.now();
    const response = await connection.response();
    if (response) assert.equal(response.status, 408);
    await connection.expectEnd(100);
    assert.ok(performance.now() - begun < 4000);
  });
  it('cuts a head that does not get on', async ({ wire }) => {
    const connection = await wire();
    await connection.write(upgradeRequest(kEcho).subarray(0, 40));
    const begun = performance.now();
    const response = await connection.response();
    if (response) assert.equal(response.status, 408);
    assert.ok(performance.now() - begun < 4000);
  });
  it('counts the whole head, not each read', async ({ wire }) => {
    const connection = await wire();
    const begun = performance.now();
    let over = false;
    const sending = (async () => {
      for (const byte of upgradeRequest(kEcho, { extra: [`X: ${'v'.repeat(500)}`] })) {
        if (over || !(await connection.write(Buffer.from([byte])))) return;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    })();
    const response = await connection.response();
    over = true;
    if (response) assert.equal(response.status, 408);
    assert.ok(performance.now() - begun < 4000);
    await sending;
  });
  it('closes an idle keep-alive connection', async ({ wire }) => {
    const connection = await wire();
    await connection.write(get('/none'));
    assert.equal((await connection.response()).status, 404);
    await connection.expectEnd(4000);
  });
  it('does not count against an upgraded connection', async ({ open }) => {
    const peer = await open();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await peer.send(text('still open'));
    await peer.expectMessage('text', 'still open');
    await peer.finish();
  });
});
