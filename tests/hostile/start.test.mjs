// Starts that cannot succeed say why in one line; certificates change under a running server.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { describe, it } from 'node:test';
import { makeCertificate, temporaryFolder } from '../support/certificate.mjs';
import { close, text } from '../support/frames.mjs';
import { Peer, Wire } from '../support/peer.mjs';
import { until, within } from '../support/poll.mjs';
import { launch, startServer } from '../support/server.mjs';
import { kEcho } from '../support/suite.mjs';

/** Expects the start to fail with code 1 and exactly one line that matches. */
async function refuses(args, pattern) {
  const server = launch(['serve', ...args]);
  let outcome;
  try {
    outcome = await within('it gives up', server.finished, 8000);
  } finally {
    server.child.kill('SIGKILL');
  }
  const lines = server.output.trim().split('\n');
  console.log(lines.join('\n'));
  assert.deepEqual(outcome, { code: 1, signal: null });
  assert.equal(lines.length, 1, 'one line');
  assert.match(lines[0], pattern);
}

const listen = ['--listen', '127.0.0.1:0'];

describe('a start that cannot succeed', () => {
  for (const loops of ['1', '2']) {
    it(`names the port that is taken, with ${loops} loops`, async () => {
      const holder = net.createServer().listen(0, '127.0.0.1');
      await new Promise((resolve) => holder.once('listening', resolve));
      const { port } = holder.address();
      await refuses(['--listen', `127.0.0.1:${port}`, '--loops', loops], new RegExp(`127\\.0\\.0\\.1:${port}`))
        .finally(() => holder.close());
    });
  }
  it('does not share a port with another server of its own kind', async () => {
    const first = await startServer({ loops: 2 });
    await refuses(['--listen', `127.0.0.1:${first.port}`], new RegExp(`:${first.port}`))
      .finally(() => first.stop());
  });
  it('names an address this machine does not have', async () => {
    await refuses(['--listen', '192.0.2.123:0'], /192\.0\.2\.123/);
  });
  it('names a certificate that is not there', async () => {
    const { key } = makeCertificate();
    await refuses([...listen, '--tls.certificate', '/none/cert.pem', '--tls.key', key], /\/none\/cert\.pem/);
  });
  it('names a key that is not there', async () => {
    const { certificate } = makeCertificate();
    await refuses([...listen, '--tls.certificate', certificate, '--tls.key', '/none/key.pem'], /\/none\/key\.pem/);
  });
  it('names a certificate that is none', async () => {
    const { key, dir } = makeCertificate();
    const bad = path.join(dir, 'bad.pem');
    writeFileSync(bad, 'this is no certificate\n');
    await refuses([...listen, '--tls.certificate', bad, '--tls.key', key], /bad\.pem/);
  });
  it('says that key and certificate do not fit', async () => {
    const [{ certificate }, { key }] = [makeCertificate(), makeCertificate()];
    await refuses([...listen, '--tls.certificate', certificate, '--tls.key', key], /key/i);
  });
  it('names a folder given for a certificate', async () => {
    const { key } = makeCertificate();
    const folder = temporaryFolder();
    await refuses([...listen, '--tls.certificate', folder, '--tls.key', key], new RegExp(path.basename(folder)));
  });
});

async function presented(server) {
  const wire = await Wire.connect(server.target);
  const { subject } = wire.socket.getPeerCertificate();
  wire.destroy();
  return subject.CN;
}

describe('SIGHUP', () => {
  for (const loops of [1, 2]) {
    it(`takes the new certificate and drops nobody, with ${loops} loops`, async () => {
      const certificate = makeCertificate({ name: 'first' });
      const server = await startServer({ loops, certificate });
      try {
        const peer = await Peer.open(server, kEcho);
        assert.equal(await presented(server), 'first');
        makeCertificate({ name: 'second', dir: certificate.dir });
        assert.equal(await presented(server), 'first', 'not before it is told');
        server.signal('SIGHUP');
        await until('the second certificate', async () => (await presented(server)) === 'second');
        for (let i = 0; i < 10; i++) assert.equal(await presented(server), 'second');
        await peer.send(text('still here'));
        await peer.expectMessage('text', 'still here');

        writeFileSync(certificate.certificate, 'broken');
        const lines = server.log.length;
        server.signal('SIGHUP');
        await until('a word about it', () => server.log.length > lines);
        for (let i = 0; i < 4; i++) assert.equal(await presented(server), 'second');
        await peer.send(text('even so'));
        await peer.expectMessage('text', 'even so');
        await peer.finish();
      } finally {
        assert.equal((await server.stop()).code, 0);
      }
    });
  }
  it('does no harm without TLS', async () => {
    const server = await startServer();
    const peer = await Peer.open(server, kEcho);
    server.signal('SIGHUP');
    server.signal('SIGHUP');
    await peer.send(text('still here'));
    await peer.expectMessage('text', 'still here');
    await peer.finish();
    assert.equal((await server.stop()).code, 0);
  });
});

describe('SIGTERM', () => {
  it('drains 300 busy connections with 1001 and code 0', async () => {
    const server = await startServer({ loops: 2 });
    const peers = [];
    for (let i = 0; i < 300; i++) peers.push(await Peer.open(server, i % 2 ? kEcho : '/raw/busy'));
    for (const peer of peers) await peer.send(text('busy'));
    server.signal('SIGTERM');
    await Promise.all(peers.map(async (peer) => {
      for (;;) {
        const got = await peer.next();
        assert.ok(got, 'a Close before the end');
        if (got.opcode !== 8) continue;
        assert.equal(got.payload.readUInt16BE(0), 1001);
        await peer.send(close(1001));
        return;
      }
    }));
    assert.deepEqual(await within('the end', server.finished, 8000), { code: 0, signal: null });
    peers.forEach((peer) => peer.destroy());
  });
  it('does not wait for 50 clients that never answer', async () => {
    const server = await startServer({ loops: 2, flags: { 'server.drain_timeout': '1s' } });
    const peers = [];
    for (let i = 0; i < 50; i++) peers.push(await Peer.open(server, kEcho));
    const begun = performance.now();
    assert.equal((await server.stop()).code, 0);
    assert.ok(performance.now() - begun < 4000, 'bounded');
    peers.forEach((peer) => peer.destroy());
  });
});
