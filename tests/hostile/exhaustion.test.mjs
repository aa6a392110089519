// Descriptors run out, connections come and go: the server sheds, serves on and recovers.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { close, text } from '../support/frames.mjs';
import { upgradeRequest } from '../support/http.mjs';
import { descriptors, memoryBytes, mib, processorMs } from '../support/memory.mjs';
import { Peer, Wire } from '../support/peer.mjs';
import { pause, pool, until, within } from '../support/poll.mjs';
import { startServer } from '../support/server.mjs';
import { kEcho, modes, suite } from '../support/suite.mjs';

const kMiB = 1024 * 1024;

async function echoes(peer, what) {
  await peer.send(text(what));
  await peer.expectMessage('text', what);
}

/** Tries to come in; a Peer, or undefined when turned away. */
async function attempt(server) {
  try {
    return await within('an answer either way', Peer.open(server, kEcho), 1500);
  } catch {
    return undefined;
  }
}

for (const mode of modes) {
  describe(`out of descriptors [${mode.name}]`, () => {
    let server;
    before(async () => {
      server = await startServer({ ...mode, prefix: ['prlimit', '--nofile=64:64', '--'] });
    });
    after(() => server?.stop());

    it('sheds new connections, keeps the old, recovers', { timeout: 60000 }, async () => {
      const old = [];
      for (let i = 0; i < 30; i++) old.push(await Peer.open(server, kEcho));
      let turnedAway = 0;
      const fresh = [];
      await pool(100, 25, async () => {
        const peer = await attempt(server);
        if (peer) fresh.push(peer);
        else turnedAway++;
      });
      console.log(`64 descriptors: 30 + ${fresh.length} let in, ${turnedAway} turned away`);
      assert.ok(turnedAway > 0, 'some had to be turned away');
      assert.equal(server.exit, undefined, 'it lives');
      for (const [i, peer] of old.entries()) await echoes(peer, `old ${i}`);

      const used = processorMs(server.pid);
      await pause(1000);
      const busy = processorMs(server.pid) - used;
      console.log(`64 descriptors: ${busy} ms of processor time in a full second`);
      assert.ok(busy < 400, 'it does not spin');

      [...fresh, ...old.splice(0, 20)].forEach((peer) => peer.destroy());
      const again = await until('it takes new ones again', () => attempt(server), { deadlineMs: 8000 });
      await echoes(again, 'again');
      for (const peer of old) await echoes(peer, 'still here');
      [...old, again].forEach((peer) => peer.destroy());
    });
  });
}

suite('connections_max', { concurrency: 1, flags: { 'server.connections_max': '10' } }, (it) => {
  it('sheds what is over it and recovers', async ({ server }) => {
    const inside = [];
    for (let i = 0; i < 10; i++) inside.push(await Peer.open(server, kEcho));
    for (let i = 0; i < 5; i++) assert.equal(await attempt(server), undefined, 'turned away');
    for (const peer of inside) await echoes(peer, 'inside');
    inside.pop().destroy();
    const again = await until('there is room again', () => attempt(server));
    await echoes(again, 'again');
    [...inside, again].forEach((peer) => peer.destroy());
  });
});

/** The ways to leave; the server must clean up after each of them. */
const kLeaving = [
  async (wire) => {
    await wire.write(close(1000));
    await wire.read();
  },
  async (wire) => wire.reset(),
  async (wire) => {
    await wire.write(text('parting words'));
  },
  async (wire) => {
    await wire.write(text('half').subarray(0, 3));
    wire.reset();
  },
];

suite('coming and going', { concurrency: 1, conformance: true }, (it) => {
  it('costs nothing in the end', async ({ server, mode }) => {
    const count = mode.secure ? 2000 : 20000;
    const visit = async (i) => {
      const localAddress = `127.0.0.${2 + (i % 40)}`;
      const wire = await Wire.connect({ ...server.target, localAddress });
      if (i % 16 === 7) await wire.write(upgradeRequest(kEcho).subarray(0, i % 150));
      else {
        await wire.write(upgradeRequest(i % 3 ? kEcho : `/raw/room-${i % 50}`));
        assert.ok(await wire.read(), 'an answer');
        await kLeaving[i % kLeaving.length](wire);
      }
      wire.destroy();
    };
    await pool(500, 50, visit);
    await until('the first ones are gone', () => descriptors(server.pid) < 60, { deadlineMs: 12000 });
    const [files, memory] = [descriptors(server.pid), memoryBytes(server.pid)];
    const begun = performance.now();
    await pool(count, 50, visit);
    const took = (performance.now() - begun) / 1000;
    await until('descriptors are equal', () => descriptors(server.pid) <= files, { deadlineMs: 12000 });
    await until('memory is back', () => memoryBytes(server.pid) <= memory + 8 * kMiB, { deadlineMs: 12000 });
    console.log(`${count} visits in ${took.toFixed(1)} s: descriptors ${files} -> ${descriptors(server.pid)}, ` +
      `memory ${mib(memory)} -> ${mib(memoryBytes(server.pid))}`);
  }, { timeout: 120000 });
});
