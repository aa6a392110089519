// The raw protocol: /raw/<channel> joins a channel; every member gets what any member sends.
import assert from 'node:assert/strict';
import { describe, it as nodeIt } from 'node:test';
import { close, fragments, kClose, kPong, ping, text } from '../support/frames.mjs';
import { upgradeRequest } from '../support/http.mjs';
import { Peer } from '../support/peer.mjs';
import { pool, randomBytes } from '../support/poll.mjs';
import { startServer } from '../support/server.mjs';
import { modes, suite } from '../support/suite.mjs';

const kHeartbeat = 'anywire.raw.v1';

/** Joining is complete when a message of one's own comes back. */
async function join(open, channel, options = {}) {
  const peer = await open({ path: `/raw/${channel}`, ...options });
  const mark = `joined ${Math.random()}`;
  await peer.send(text(mark));
  for (;;) if ((await peer.message()).data.toString() === mark) return peer;
}

/** Reads past the others' join marks. */
async function next(peer) {
  for (;;) {
    const got = await peer.message();
    if (!got.data.toString().startsWith('joined ')) return got;
  }
}

suite('raw channels', { concurrency: 4 }, (it) => {
  it('gives a text to everybody in the channel, the sender too', async ({ open }) => {
    const a = await join(open, 'both');
    const b = await join(open, 'both');
    await a.send(text('héllo'));
    for (const peer of [a, b]) {
      const got = await next(peer);
      assert.deepEqual([got.kind, got.data.toString()], ['text', 'héllo']);
    }
  });
  it('gives a binary message to everybody', async ({ open }) => {
    const a = await join(open, 'bin');
    const b = await join(open, 'bin');
    for (const size of [0, 1, 125, 126, 65535, 65536, 1 << 20]) {
      await b.sendMessage('binary', randomBytes(size, size));
      for (const peer of [a, b]) {
        const got = await next(peer);
        assert.equal(got.kind, 'binary');
        assert.ok(got.data.equals(randomBytes(size, size)), `${size} bytes`);
      }
    }
  });
  it('does not mix channels', async ({ open }) => {
    const a = await join(open, 'left');
    const b = await join(open, 'right');
    await a.send(text('for left'));
    await b.send(text('for right'));
    assert.equal((await next(a)).data.toString(), 'for left');
    assert.equal((await next(b)).data.toString(), 'for right');
  });
  it('joins fragments before giving them on', async ({ open }) => {
    const a = await join(open, 'frag');
    const b = await join(open, 'frag');
    await a.send(...fragments(1, 'one two three', [3, 0, 4]));
    assert.equal((await next(b)).data.toString(), 'one two three');
  });
  it('keeps the order of one sender', async ({ open }) => {
    const a = await join(open, 'order');
    const b = await join(open, 'order');
    for (let i = 0; i < 2000; i += 50) {
      await a.send(...Array.from({ length: 50 }, (_, k) => text(`${i + k}`)));
    }
    for (const peer of [a, b]) {
      for (let i = 0; i < 2000; i++) assert.equal((await next(peer)).data.toString(), `${i}`);
    }
  });
  it('shows every member the same order of two senders', async ({ open }) => {
    const a = await join(open, 'total');
    const b = await join(open, 'total');
    const c = await join(open, 'total');
    for (let i = 0; i < 300; i++) await Promise.all([a.send(text(`a${i}`)), b.send(text(`b${i}`))]);
    const seen = [];
    for (const peer of [a, b, c]) {
      const order = [];
      for (let i = 0; i < 600; i++) order.push((await next(peer)).data.toString());
      seen.push(order.join());
    }
    assert.equal(seen[0], seen[1]);
    assert.equal(seen[0], seen[2]);
  });
  it('serves members with and without compression in one channel', async ({ open }) => {
    const plain = await join(open, 'mixed');
    const packed = await join(open, 'mixed', { extensions: 'permessage-deflate; client_max_window_bits' });
    const fresh = await join(open, 'mixed', {
      extensions: 'permessage-deflate; server_no_context_takeover; server_max_window_bits=10' });
    const long = 'compress me '.repeat(500);
    for (const sender of [plain, packed, fresh]) {
      await sender.sendMessage('text', long);
      for (const peer of [plain, packed, fresh]) assert.equal((await next(peer)).data.toString(), long);
    }
  });
  it('goes on when a member leaves', async ({ open }) => {
    const a = await join(open, 'leave');
    const b = await join(open, 'leave');
    const c = await join(open, 'leave');
    c.destroy();
    await b.send(close(1000));
    while ((await b.next())?.opcode !== kClose);
    await a.send(text('alone'));
    assert.equal((await next(a)).data.toString(), 'alone');
  });
  it('sends a member nothing after its Close (RFC 6455 5.5.1)', async ({ open }) => {
    const a = await join(open, 'shut');
    const b = await join(open, 'shut');
    const publishing = (async () => {
      for (let i = 0; i < 200; i++) await a.send(text(`${i}`));
    })();
    await b.send(close(4000));
    for (;;) {
      const got = await b.next();
      if (got.opcode === kClose) break;
    }
    assert.equal(await b.next(), undefined);
    await publishing;
  });
  it('does not deliver to who came later', async ({ open }) => {
    const a = await join(open, 'late');
    await a.send(text('early'));
    assert.equal((await next(a)).data.toString(), 'early');
    const b = await join(open, 'late');
    await a.send(text('later'));
    assert.equal((await next(b)).data.toString(), 'later');
  });

  for (const [one, other] of [['a%62c', 'abc'], ['%C3%A9t%C3%A9', '%c3%a9t%c3%a9'], ['sp%20ace', 'sp%20ace'],
    ['a+b', 'a%2Bb'], ['x:y', 'x%3Ay'], ['tilde~', 'tilde%7E'], ['star*', 'star%2A']]) {
    it(`takes ${one} and ${other} for the same channel`, async ({ open }) => {
      const a = await join(open, one);
      const b = await join(open, other);
      await a.send(text('same'));
      assert.equal((await next(b)).data.toString(), 'same');
    });
  }
  it('leaves the query out of the name', async ({ open }) => {
    const a = await join(open, 'query?x=1');
    const b = await join(open, 'query');
    await a.send(text('same'));
    assert.equal((await next(b)).data.toString(), 'same');
  });
  it('takes a name of 200 bytes', async ({ open }) => {
    await join(open, 'n'.repeat(200));
  });
  for (const bad of ['%', '%4', '%zz', 'a%', '%ff', '%C3', '%ed%a0%80', '%c0%af', 'n'.repeat(201),
    '%C3%A9'.repeat(101), '%00', 'a%0ab', '%7f']) {
    it(`refuses the name ${bad.slice(0, 20)} (${bad.length})`, async ({ wire }) => {
      const connection = await wire();
      await connection.write(upgradeRequest(`/raw/${bad}`));
      assert.equal((await connection.response()).status, 400);
    });
  }
  for (const path of ['/raw/', '/raw', '/raw?x']) {
    it(`knows no channel at ${path}`, async ({ wire }) => {
      const connection = await wire();
      await connection.write(upgradeRequest(path));
      const { status } = await connection.response();
      assert.ok([400, 404].includes(status), `${status}`);
    });
  }

  it(`selects the subprotocol ${kHeartbeat}`, async ({ open }) => {
    for (const list of [kHeartbeat, `other, ${kHeartbeat}`, `${kHeartbeat}, other`]) {
      const peer = await open({ path: '/raw/sub', protocol: list });
      assert.equal(peer.response.headers.get('sec-websocket-protocol'), kHeartbeat);
      peer.destroy();
    }
    for (const list of ['other', 'anywire.raw.v2', 'ANYWIRE.RAW.V1', 'anywire.raw.v1x']) {
      const peer = await open({ path: '/raw/sub', protocol: list });
      assert.equal(peer.response.headers.get('sec-websocket-protocol'), undefined);
      peer.destroy();
    }
  });
  it('answers an empty text frame under the subprotocol and tells nobody', async ({ open }) => {
    const a = await join(open, 'beat', { protocol: kHeartbeat });
    const b = await join(open, 'beat', { protocol: kHeartbeat });
    const c = await join(open, 'beat');
    await a.send(text(''));
    const got = await next(a);
    assert.deepEqual([got.kind, got.data.length], ['text', 0]);
    await a.send(text('after'));
    for (const peer of [a, b, c]) assert.equal((await next(peer)).data.toString(), 'after');
  });
  it('takes an empty binary frame under the subprotocol for a message', async ({ open }) => {
    const a = await join(open, 'beat2', { protocol: kHeartbeat });
    const b = await join(open, 'beat2');
    await a.sendMessage('binary', '');
    for (const peer of [a, b]) {
      const got = await next(peer);
      assert.deepEqual([got.kind, got.data.length], ['binary', 0]);
    }
  });
  it('takes an empty text frame without the subprotocol for a message', async ({ open }) => {
    const a = await join(open, 'beat3');
    const b = await join(open, 'beat3');
    await a.send(text(''), ping('p'));
    const got = await next(b);
    assert.deepEqual([got.kind, got.data.length], ['text', 0]);
    const own = new Set();
    while (own.size < 2) {
      const { opcode, payload } = await a.next();
      if (!payload.toString().startsWith('joined ')) own.add(`${opcode} ${payload}`);
    }
    assert.deepEqual([...own].sort(), ['1 ', `${kPong} p`]);
  });
});

const oncePerTransport = modes.filter(({ secure }, i) => (
  modes.findIndex((other) => other.secure === secure) === i));

for (const mode of oncePerTransport) {
  describe(`raw channels over four loops [${mode.secure ? 'tls' : 'plain'}]`, () => {
    nodeIt('loses, doubles and reorders nothing among 32 members', { timeout: 60000 }, async () => {
      const server = await startServer({ ...mode, loops: 4 });
      const open = (options) => Peer.open(server, options.path, options);
      const members = [];
      await pool(32, 8, async (i) => (members[i] = await join(open, 'crowd')));
      const each = 50;
      const total = each * members.length;
      await Promise.all([
        ...members.map(async (peer, m) => {
          for (let i = 0; i < each; i++) await peer.send(text(`${m}:${i}`));
        }),
        ...members.map(async (peer) => {
          peer.order = [];
          while (peer.order.length < total) peer.order.push((await next(peer)).data.toString());
        }),
      ]);
      for (const peer of members) {
        assert.equal(new Set(peer.order).size, total, 'each once');
        assert.equal(peer.order.join(), members[0].order.join(), 'the same order for all');
      }
      for (let m = 0; m < members.length; m++) {
        const own = members[0].order.filter((one) => one.startsWith(`${m}:`));
        assert.deepEqual(own, Array.from({ length: each }, (_, i) => `${m}:${i}`), 'each in its order');
      }
      await members[0].send(text('end'));
      for (const peer of members) assert.equal((await next(peer)).data.toString(), 'end');
      members.forEach((peer) => peer.destroy());
      assert.equal((await server.stop()).code, 0);
    });
  });
}
