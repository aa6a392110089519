// What one hostile connection may cost: figures of the promise, measured from outside.
import assert from 'node:assert/strict';
import zlib from 'node:zlib';
import { binary, close, fragments, frame, kPong, more, ping, text } from '../support/frames.mjs';
import { request } from '../support/http.mjs';
import { MemoryWatch, memoryBytes, mib, processorMs } from '../support/memory.mjs';
import { Peer, Wire } from '../support/peer.mjs';
import { pause, pool, randomBytes, until } from '../support/poll.mjs';
import { startServer } from '../support/server.mjs';
import { kEcho, suite } from '../support/suite.mjs';

const kKiB = 1024;
const kMiB = 1024 * kKiB;
const kAllowed = 4 * kMiB;
const options = { concurrency: 1 };

/** Uses each part once, with little: what is made on first use is no cost of the attack. */
async function warmUp(server) {
  const peer = await Peer.open(server, kEcho, { extensions: 'permessage-deflate' });
  await peer.sendMessage('text', 'warm '.repeat(200));
  await peer.expectMessage('text', 'warm '.repeat(200));
  await peer.send(ping('warm'));
  await peer.expectFrame(kPong, 'warm');
  await peer.finish();
}

/** Waits until the process has nothing left to do. */
async function settled(pid) {
  let last;
  await until('the server comes to rest', () => {
    const [was, now] = [last, processorMs(pid)];
    last = now;
    return was === now;
  }, { deadlineMs: 20000, everyMs: 200 });
}

/** Runs `attack` against a fresh server and checks the growth it caused. */
async function costs(mode, name, attack, allowed = kAllowed) {
  const server = await startServer(mode);
  try {
    await warmUp(server);
    const watch = new MemoryWatch(server.pid);
    const begun = performance.now();
    const note = await attack(server);
    await settled(server.pid);
    watch.stop();
    const seconds = ((performance.now() - begun) / 1000).toFixed(2);
    console.log(`${name} [${mode.name}]: ${watch}; ${seconds} s${note ? `; ${note}` : ''}`);
    assert.ok(watch.growth < allowed, `grew by ${mib(watch.growth)}, allowed ${mib(allowed)}`);
    await warmUp(server);
  } finally {
    assert.equal((await server.stop()).code, 0, server.output);
  }
}

/** Writes `chunk` again and again without reading, up to `total` bytes or until nothing moves. */
async function flood(wire, chunk, total, stallMs = 1500) {
  wire.socket.pause();
  let sent = 0;
  while (sent < total) {
    const moved = await Promise.race([wire.write(chunk), pause(stallMs).then(() => 'stalled')]);
    if (moved !== true) return { sent, how: moved === 'stalled' ? 'held back' : 'cut off' };
    sent += chunk.length;
  }
  return { sent, how: 'taken' };
}

const kPings = Buffer.concat(Array(8000).fill(ping(Buffer.alloc(125, 'p'))));
const kEchoes = Buffer.concat(Array(64).fill(binary(randomBytes(16 * kKiB, 2))));
const kLarge = binary(randomBytes(kMiB, 4));
const kSmall = Buffer.concat(Array(30000).fill(text('12345678901234567890')));

suite('memory of one connection', options, (it) => {
  const attacks = [
    ['128 MiB of unread pings', kPings, 128],
    ['256 MiB of unread echoes of 16 KiB', kEchoes, 256],
    ['256 MiB of unread echoes of 1 MiB', kLarge, 256],
    ['256 MiB of unread echoes of 20 B', kSmall, 256],
  ];
  for (const [name, chunk, size] of attacks) {
    it(name, ({ mode }) => costs(mode, name, async (server) => {
      const peer = await Peer.open(server, kEcho);
      const { sent, how } = await flood(peer.wire, chunk, size * kMiB);
      await warmUp(server);
      peer.destroy();
      return `${mib(sent)} ${how}`;
    }), { timeout: 60000 });
  }
  it('unread answers to pipelined requests', async ({ mode }) => {
    const many = Buffer.concat(Array(2000).fill(request('GET', '/none')));
    await costs(mode, 'unread answers to pipelined requests', async (server) => {
      const wire = await Wire.connect(server.target);
      const { sent, how } = await flood(wire, many, 64 * kMiB);
      await warmUp(server);
      wire.destroy();
      return `${mib(sent)} ${how}`;
    });
  });
  it('answers everything it took once the client reads again', async ({ server }) => {
    const peer = await Peer.open(server, kEcho);
    const { sent, how } = await flood(peer.wire, kEchoes, 64 * kMiB, 1000);
    if (how === 'cut off') return;
    peer.wire.socket.resume();
    const count = Math.floor(sent / kEchoes.length) * 64;
    for (let i = 0; i < count; i++) await peer.expectMessage('binary', randomBytes(16 * kKiB, 2));
    peer.destroy();
  }, { timeout: 60000 });

  it('a million empty fragments', async ({ mode }) => {
    await costs(mode, 'a million empty fragments', async (server) => {
      const peer = await Peer.open(server, kEcho);
      await peer.send(text('', { fin: false }));
      const thousand = Buffer.concat(Array(1000).fill(more('', { fin: false })));
      for (let i = 0; i < 1000 && (await peer.send(thousand)); i++);
      await peer.send(more('end'));
      const got = await peer.next(20000);
      assert.ok(got, 'an answer');
      if (got.opcode === 1) assert.equal(got.payload.toString(), 'end');
      else assert.ok([1008, 1009].includes(got.payload.readUInt16BE(0)));
      peer.destroy();
      return got.opcode === 1 ? 'answered' : 'refused';
    });
  });
  it('a million fragments of one byte', async ({ mode }) => {
    await costs(mode, 'a million fragments of one byte', async (server) => {
      const peer = await Peer.open(server, kEcho);
      await peer.wire.write(Buffer.concat(fragments(2, Buffer.alloc(kMiB, 1), Array(kMiB - 1).fill(1))));
      await peer.expectMessage('binary', Buffer.alloc(kMiB, 1));
      await peer.finish();
    });
  });

  const bomb = zlib.deflateRawSync(Buffer.alloc(256 * kMiB), { level: 9, finishFlush: zlib.constants.Z_SYNC_FLUSH });
  const kOffer = { extensions: 'permessage-deflate; client_max_window_bits' };
  for (const pieces of [1, 64]) {
    const name = `a deflate bomb of 256 MiB in ${mib(bomb.length)}, ${pieces} fragments`;
    it(name, async ({ mode }) => {
      await costs(mode, name, async (server) => {
        const peer = await Peer.open(server, kEcho, kOffer);
        const body = bomb.subarray(0, bomb.length - 4);
        const size = Math.ceil(body.length / pieces);
        peer.send(...fragments(2, body, Array(pieces - 1).fill(size), { rsv: 4 }));
        await peer.expectClose(1009);
      });
    });
  }
  it('a thousand tiny bombs of just under the limit', async ({ mode }) => {
    const small = zlib.deflateRawSync(Buffer.alloc(kMiB - 1), { level: 9, finishFlush: zlib.constants.Z_SYNC_FLUSH });
    const chunk = Buffer.concat(Array(50).fill(frame(2, small.subarray(0, -4), { rsv: 4 })));
    await costs(mode, 'a thousand bombs of 1 MiB, unread', async (server) => {
      const peer = await Peer.open(server, kEcho, kOffer);
      const { sent, how } = await flood(peer.wire, chunk, 20 * chunk.length, 3000);
      peer.destroy();
      return `${mib(sent)} ${how}`;
    }, 8 * kMiB);
  });
});

suite('memory between loops', options, (it) => {
  // The kernel and a hash decide who sits where; of eight, some publish to a channel of the other loop.
  const attacks = [
    ['a flood of empty messages', text(''), 5000, 400],
    ['a flood of messages of 1 KiB', binary(Buffer.alloc(kKiB)), 500, 100],
  ];
  for (const [name, one, count, rounds] of attacks) {
    it(`${name} to a channel of another loop`, ({ mode }) =>
      costs({ ...mode, loops: 2 }, `${name} between loops`, async (server) => {
        const chunk = Buffer.concat(Array(count).fill(one));
        for (let i = 0; i < 8; i++) {
          const peer = await Peer.open(server, `/raw/${i}`);
          let heard = 0;
          peer.wire.socket.removeAllListeners('data').on('data', ({ length }) => (heard += length));
          for (let round = 0; round < rounds; round++) assert.ok(await peer.send(chunk));
          // Everything comes back, without the four bytes of a mask.
          const wanted = rounds * count * (one.length - 4);
          await until('all has come back', () => heard === wanted, { deadlineMs: 20000 });
          peer.destroy();
        }
      }, 8 * kMiB), { timeout: 60000 });
  }
});

/** Growth a connection when `count` of them do the same thing, over being idle. */
async function each(server, name, count, allowed, prepare, attack) {
  await warmUp(server);
  const peers = [];
  await pool(count, 20, async (i) => (peers[i] = await prepare()));
  const idle = memoryBytes(server.pid);
  const watch = new MemoryWatch(server.pid);
  await pool(count, 20, (i) => attack(peers[i]));
  const probe = await Peer.open(server, kEcho);
  await probe.send(text('all read'));
  await probe.expectMessage('text', 'all read');
  probe.destroy();
  await settled(server.pid);
  watch.stop();
  const one = (memoryBytes(server.pid) - idle) / count;
  console.log(`${name}: ${count} connections, ${one.toFixed(0)} bytes each; ${watch}`);
  peers.forEach((peer) => peer.destroy());
  assert.ok(one <= allowed, `${one} bytes each, allowed ${allowed}`);
}

suite('memory of many connections', options, (it) => {
  const open = (server, extra) => () => Peer.open(server, kEcho, extra);
  it('claimed lengths cost nothing', async ({ server }) => {
    await each(server, '1 MiB claimed, 1 byte sent', 500, 8 * kKiB, open(server),
      (peer) => peer.send(frame(2, 'x', { form: 64, claim: kMiB })));
  });
  it('claimed lengths of fragments cost nothing', async ({ server }) => {
    await each(server, '1 MiB claimed by a fragment, 1 byte sent', 500, 8 * kKiB, open(server),
      (peer) => peer.send(binary('x', { fin: false }), more('y', { form: 64, claim: kMiB - 1 })));
  });
  it('a message that never ends costs at most its limit and 1 MiB', async ({ server }) => {
    await each(server, 'unfinished messages of 1 MiB', 20, 2 * kMiB, open(server),
      (peer) => peer.send(...fragments(2, Buffer.alloc(kMiB - 1, 7), [kMiB / 2]).slice(0, 1),
        more(Buffer.alloc(kMiB / 2 - 1, 7), { fin: false })));
  });
  it('a compressed message that never ends costs at most its limit and 1 MiB', async ({ server }) => {
    await each(server, 'unfinished compressed messages', 20, 2 * kMiB,
      open(server, { extensions: 'permessage-deflate; client_max_window_bits' }), async (peer) => {
        const body = await peer.deflater.message(Buffer.alloc(kMiB - 1), { whole: true });
        await peer.send(binary(body, { rsv: 4, fin: false }));
      });
  });
  it('a head that never ends costs at most its limit', async ({ server }) => {
    await each(server, 'unfinished heads of 15 KiB', 200, 40 * kKiB, () => Wire.connect(server.target),
      (wire) => wire.write(request('GET', '/', { headers: { X: 'v'.repeat(15 * kKiB) } }).subarray(0, -4)));
  });
  it('everything is given back', async ({ server }) => {
    await warmUp(server);
    const before = memoryBytes(server.pid);
    const peers = [];
    await pool(500, 20, async (i) => (peers[i] = await Peer.open(server, kEcho)));
    await pool(500, 20, (i) => peers[i].send(binary(Buffer.alloc(60000), { fin: false })));
    const full = memoryBytes(server.pid);
    await Promise.all(peers.map((peer) => peer.send(close(1000))));
    peers.forEach((peer) => peer.destroy());
    await until('memory is back (+8 MiB at most)', () => memoryBytes(server.pid) <= before + 8 * kMiB,
      { deadlineMs: 12000, everyMs: 100 });
    console.log(`given back: before ${mib(before)}, full ${mib(full)}, after ${mib(memoryBytes(server.pid))}`);
  });
});
