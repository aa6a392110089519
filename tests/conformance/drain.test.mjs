// SIGTERM: everybody is told 1001, nobody new is let in, the process ends by itself with 0.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { close, text } from '../support/frames.mjs';
import { Peer, Wire } from '../support/peer.mjs';
import { pool } from '../support/poll.mjs';
import { startServer } from '../support/server.mjs';
import { kEcho, modes } from '../support/suite.mjs';

for (const mode of modes) {
  describe(`draining [${mode.name}]`, () => {
    for (const signal of ['SIGTERM', 'SIGINT']) {
      it(`says 1001 to everybody and ends with 0 on ${signal}`, async () => {
        const server = await startServer(mode);
        const peers = [];
        await pool(20, 5, async () => peers.push(await Peer.open(server, kEcho)));
        for (const peer of peers) await peer.send(text('before'));
        for (const peer of peers) await peer.expectMessage('text', 'before');
        server.signal(signal);
        await Promise.all(peers.map((peer) => peer.expectClose(1001)));
        assert.deepEqual(await server.stop(), { code: 0, signal: null });
      });
    }
    it('ends in time although a client never answers', async () => {
      const server = await startServer({ ...mode, flags: { 'server.drain_timeout': '1s' } });
      const peer = await Peer.open(server, kEcho);
      const begun = performance.now();
      server.signal('SIGTERM');
      await peer.expectFrame(8);
      assert.deepEqual(await server.finished, { code: 0, signal: null });
      assert.ok(performance.now() - begun < 5000, 'bounded');
      peer.destroy();
    });
    it('ends in time although a handshake is half done', async () => {
      const server = await startServer({ ...mode, flags: { 'server.drain_timeout': '1s' } });
      const wire = await Wire.connect(server.target);
      await wire.write(Buffer.from('GET / HT'));
      const begun = performance.now();
      assert.deepEqual(await server.stop(), { code: 0, signal: null });
      assert.ok(performance.now() - begun < 5000, 'bounded');
      wire.destroy();
    });
    it('ends at once when nobody is there', async () => {
      const server = await startServer(mode);
      const begun = performance.now();
      assert.deepEqual(await server.stop(), { code: 0, signal: null });
      assert.ok(performance.now() - begun < 2000, 'at once');
    });
    it('lets nobody new in while it drains', async () => {
      const server = await startServer({ ...mode, flags: { 'server.drain_timeout': '3s' } });
      const peer = await Peer.open(server, kEcho);
      server.signal('SIGTERM');
      await peer.expectFrame(8);
      await assert.rejects(Peer.open(server, kEcho));
      await peer.send(close(1001));
      assert.deepEqual(await server.finished, { code: 0, signal: null });
      peer.destroy();
    });
  });
}
