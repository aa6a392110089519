// Where it listens: IPv6, Unix sockets, several addresses; and what it says under TLS.
import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, it } from 'node:test';
import tls from 'node:tls';
import { temporaryFolder } from '../support/certificate.mjs';
import { text } from '../support/frames.mjs';
import { request, upgradeRequest } from '../support/http.mjs';
import { checkSwitching, Peer, Wire } from '../support/peer.mjs';
import { startServer } from '../support/server.mjs';
import { kEcho, modes, suite } from '../support/suite.mjs';

async function echoOver(wire) {
  await wire.write(upgradeRequest(kEcho));
  const response = await wire.response();
  checkSwitching(response);
  const peer = new Peer(wire, response);
  await peer.send(text('hello'));
  await peer.expectMessage('text', 'hello');
  await peer.finish();
}

for (const mode of modes) {
  describe(`listening [${mode.name}]`, () => {
    it('serves IPv6', async () => {
      const server = await startServer({ ...mode, host: '::1' });
      await echoOver(await Wire.connect(server.target));
      assert.equal((await server.stop()).code, 0);
    });
    it('serves a Unix socket', async () => {
      const socketPath = path.join(temporaryFolder(), 'anywire.sock');
      const server = await startServer({ ...mode, listen: [`unix:${socketPath}`] });
      await echoOver(await Wire.connect({ socketPath, secure: mode.secure }));
      assert.equal((await server.stop()).code, 0);
    });
    it('takes over the Unix socket of a server that was killed', async () => {
      const socketPath = path.join(temporaryFolder(), 'anywire.sock');
      const first = await startServer({ ...mode, listen: [`unix:${socketPath}`] });
      await first.stop({ signal: 'SIGKILL' });
      const second = await startServer({ ...mode, listen: [`unix:${socketPath}`] });
      await echoOver(await Wire.connect({ socketPath, secure: mode.secure }));
      assert.equal((await second.stop()).code, 0);
    });
    it('serves two addresses at once', async () => {
      const server = await startServer({ ...mode, listen: ['127.0.0.1:0', '[::1]:0'] });
      for (const address of server.addresses) {
        const [, host, port] = /^\[?([^\]]*)\]?:(\d+)$/.exec(address);
        await echoOver(await Wire.connect({ host, port: Number(port), secure: mode.secure }));
      }
      assert.equal(server.addresses.length, 2);
      assert.equal((await server.stop()).code, 0);
    });
  });
}

const secureOnly = { only: ({ secure }) => secure };

suite('TLS', secureOnly, (it) => {
  const connect = (server, options) => new Promise((resolve, reject) => {
    const socket = tls.connect({ host: server.host, port: server.port, rejectUnauthorized: false, ...options });
    socket.once('secureConnect', () => resolve(socket));
    socket.once('error', reject);
  });
  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    it(`speaks ${version}`, async ({ server }) => {
      const socket = await connect(server, { minVersion: version, maxVersion: version });
      assert.equal(socket.getProtocol(), version);
      await echoOver(new Wire(socket));
    });
  }
  for (const version of ['TLSv1', 'TLSv1.1']) {
    it(`does not speak ${version}`, async ({ server }) => {
      await assert.rejects(connect(server, { minVersion: version, maxVersion: version,
        ciphers: 'DEFAULT@SECLEVEL=0' }));
    });
  }
  it('selects http/1.1 by ALPN', async ({ server }) => {
    const socket = await connect(server, { ALPNProtocols: ['h2', 'http/1.1'] });
    assert.equal(socket.alpnProtocol, 'http/1.1');
    await echoOver(new Wire(socket));
  });
  it('never selects h2', async ({ server }) => {
    const socket = await connect(server, { ALPNProtocols: ['h2'] }).catch(() => undefined);
    if (socket) assert.equal(socket.alpnProtocol, false);
    socket?.destroy();
  });
  it('says goodbye with close_notify', async ({ server }) => {
    const peer = await Peer.open(server, kEcho);
    await peer.finish();
    assert.equal(peer.wire.error, undefined);
  });
  it('says goodbye with close_notify after HTTP, too (RFC 9112 9.8)', async ({ server }) => {
    for (const bytes of [request('GET', '/none', { headers: { Connection: 'close' } }),
      request('GET', '/none', { headers: { Host: null } })]) {
      const wire = await Wire.connect(server.target);
      await wire.write(bytes);
      assert.ok(await wire.response());
      await wire.expectEnd();
      assert.equal(wire.error, undefined);
      assert.equal(wire.socket.readableEnded, true, 'a close_notify, not a cut');
      wire.destroy();
    }
  });
  it('lives with clients that leave without close_notify (RFC 9112 9.8)', async ({ server }) => {
    for (let i = 0; i < 10; i++) {
      const outer = await Wire.connect({ ...server.target, secure: false });
      const socket = tls.connect({ socket: outer.socket, rejectUnauthorized: false });
      await new Promise((resolve, reject) => {
        socket.once('secureConnect', resolve);
        socket.once('error', reject);
      });
      socket.on('error', () => {});
      if (i % 2) await echoOver(new Wire(socket));
      outer.socket.destroy();
    }
    await echoOver(await Wire.connect(server.target));
  });
  it('serves any server_name with its one certificate (RFC 6455 4.2.2)', async ({ server }) => {
    for (const servername of ['localhost', 'other.example', '']) {
      await echoOver(new Wire(await connect(server, { servername })));
    }
  });
  for (const [name, bytes] of [['plain HTTP', upgradeRequest(kEcho)], ['zeros', Buffer.alloc(3000)],
    ['noise', Buffer.alloc(3000, '\xff')], ['a hello cut short', Buffer.from('16030100050100', 'hex')]]) {
    it(`lives with ${name} on its port`, async ({ server }) => {
      const wire = await Wire.connect({ ...server.target, secure: false });
      await wire.write(bytes);
      wire.socket.end();
      while (await wire.read(12000));
      wire.destroy();
      await echoOver(await Wire.connect(server.target));
    }, { timeout: 20000 });
  }
});
