// More than the server can hold: newcomers are turned away first, then those who read the slowest
// are disconnected, and when there is room again all is as before. However hard it is pressed, it
// neither dies nor grows on, and who reads is served all the time.
import assert from 'node:assert/strict';
import { binary } from '../support/frames.mjs';
import { upgradeRequest } from '../support/http.mjs';
import { descriptors, MemoryWatch, mib } from '../support/memory.mjs';
import { Peer, Wire } from '../support/peer.mjs';
import { pause, until } from '../support/poll.mjs';
import { kEcho, suite } from '../support/suite.mjs';

const kMiB = 1024 * 1024;
const kMax = 128 * kMiB;
const kHighWatermark = 16 * kMiB;
const kMessage = binary(Buffer.alloc(kMiB / 2, 7));

const said = (server, words) => server.log.filter(({ msg }) => msg.includes(words)).length;

/** What a newcomer is answered. */
async function knock(server, request = upgradeRequest(kEcho)) {
  const wire = await Wire.connect(server.target);
  try {
    await wire.write(request);
    return await wire.response();
  } finally {
    wire.destroy();
  }
}

/** Clients that send and do not read what comes back: each can make the server hold so much. */
async function openSlow(server, count) {
  const slow = [];
  while (slow.length < count) slow.push(await Peer.open(server, kEcho));
  return slow.map(({ wire: { socket } }) => {
    socket.pause();
    socket.on('error', () => {});
    return socket;
  });
}

/** Sends a message over one of them that has taken all before; false if there is none. */
function feedOne(sockets, bytesMax = 0) {
  const next = sockets.find((socket) => !socket.destroyed && socket.writableLength <= bytesMax);
  next?.write(kMessage);
  // The next time it is another's turn.
  if (next) sockets.push(...sockets.splice(sockets.indexOf(next), 1));
  return next !== undefined;
}

suite('server.memory_max', {
  concurrency: 1,
  only: ({ secure }) => !secure,
  flags: {
    'server.memory_max': `${kMax / kMiB}MiB`,
    'websocket.high_watermark': `${kHighWatermark / kMiB}MiB`,
    'websocket.queue_bytes_max': '32MiB',
    'websocket.compression': 'off',
  },
}, (it) => {
  it('turns newcomers away, then disconnects slow readers, and recovers', async ({ server }) => {
    const well = await Peer.open(server, kEcho);
    const echo = async (text) => {
      await well.send(binary(Buffer.from(text)));
      await well.expectMessage('binary', Buffer.from(text));
    };
    // Behind with a little, but not the slowest.
    const behind = await Peer.open(server, kEcho);
    for (let i = 0; i < 8; i++) await behind.send(kMessage);
    const slow = await openSlow(server, 14);
    const connected = descriptors(server.pid);
    // Slowly, so that each step of it is seen: what comes between two looks is less than is between
    // the two limits.
    const fillUntil = (what, done) => until(what, () => done() || (feedOne(slow), false),
      { deadlineMs: 60_000, everyMs: 15 });

    await fillUntil('newcomers are turned away', () =>
      said(server, 'turning newcomers away') > 0);
    const answers = [await knock(server, 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n')];
    for (let i = 0; i < 20; i++) answers.push(await knock(server));
    for (const { status, body } of answers) {
      assert.equal(status, 503);
      assert.match(String(body), /"code":"overloaded"/);
    }
    // So that they do not all come back at once.
    const waits = answers.map(({ headers }) => headers.get('retry-after'));
    for (const wait of waits) assert.match(wait, /^([5-9]|1[0-5])$/);
    assert.ok(new Set(waits).size > 1, waits.join());
    await echo('newcomers only');
    assert.equal(said(server, 'slow readers'), 0, server.output);
    assert.equal(descriptors(server.pid), connected, 'nobody who is connected has gone');

    await fillUntil('slow readers are disconnected', () =>
      said(server, 'slow readers disconnected') > 0);
    await until('there is room again', () => said(server, 'newcomers are welcome') > 0,
      { deadlineMs: 30_000 });
    const gone = connected - descriptors(server.pid);
    // What it was above its limit is less than half of what they have unread.
    assert.ok(gone > 0 && gone <= slow.length / 2, `${gone} of ${slow.length} have gone`);
    assert.ok(server.memory() < kMax, mib(server.memory()));
    await echo('still here');
    const sent = Buffer.alloc(kMiB / 2, 7);
    for (let i = 0; i < 8; i++) await behind.expectMessage('binary', sent);
    assert.equal((await knock(server)).status, 101);
    assert.equal(said(server, 'turning newcomers away'), 1, 'one line for a change');
    for (const socket of slow) socket.destroy();
    for (const peer of [well, behind]) peer.wire.destroy();
  }, { timeout: 120_000 });

  it('neither dies nor grows on, however often and hard it is pressed', async ({ server }) => {
    const kCrowd = 40;
    assert.ok(kCrowd * kHighWatermark > 4 * kMax, 'they could make it hold far more');
    const well = await Peer.open(server, kEcho);
    const watch = new MemoryWatch(server.pid);
    const times = [];
    for (let wave = 0; wave < 4; wave++) {
      // Lines that come with every change, however often: those that count disconnections come
      // once in a second.
      const before = ['disconnecting slow readers', 'newcomers are welcome']
        .map((words) => [words, said(server, words)]);
      const slow = await openSlow(server, kCrowd);
      const connected = descriptors(server.pid);
      await until('they are disconnected, and there is room', async () => {
        for (let i = 0; i < kCrowd && feedOne(slow, kMiB); i++);
        const begun = performance.now();
        await well.send(binary(Buffer.from(`wave ${wave}`)));
        await well.expectMessage('binary', Buffer.from(`wave ${wave}`));
        times.push(performance.now() - begun);
        return before.every(([words, count]) => said(server, words) > count);
      }, { deadlineMs: 30_000 });
      const gone = connected - descriptors(server.pid);
      assert.ok(gone > 0 && gone < kCrowd, `${gone} of ${kCrowd} have gone`);
      for (const socket of slow) socket.destroy();
      // A line of the log may be read when things have changed again.
      await until('a newcomer is welcome', async () => (await knock(server))?.status === 101);
    }
    watch.stop();
    console.log(`${watch}; who reads waited ${Math.max(...times).toFixed(0)} ms at most`);
    assert.ok(watch.before + watch.growth < 2 * kMax, `${watch}`);
    assert.equal(server.exit, undefined);
    well.wire.destroy();
  }, { timeout: 180_000 });
});
