// The default client (polling first) without sticky sessions: each of its requests comes by a
// connection of its own, through a proxy that deals them out, to four loops. All connect, and not
// one request is refused.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, it } from 'node:test';
import { io } from 'socket.io-client';
import { pool, within } from '../support/poll.mjs';
import { startProxy } from './harness/proxy.mjs';
import { chosenTarget } from './targets.mjs';

const kClients = 200;
const kLanes = 20;

describe('connections dealt out to four loops', { concurrency: false }, () => {
  let server;
  let proxy;
  // No connection is used twice, so that each request may come to another loop.
  const agent = new http.Agent({ keepAlive: false });

  before(async () => {
    const target = chosenTarget();
    server = await target.start('plain', { loops: 4 });
    const { hostname: host, port } = new URL(server.url);
    proxy = await startProxy(Array.from({ length: 4 }, () => ({ host, port: Number(port) })));
  });
  after(async () => {
    await proxy?.stop();
    await server?.stop();
  });

  async function session(options, work) {
    const socket = io(proxy.url, { forceNew: true, reconnection: false, agent, ...options });
    try {
      await within('the connection', new Promise((resolve, reject) => {
        socket.on('connect', resolve);
        socket.on('connect_error', reject);
      }), 30_000);
      await work(socket);
    } finally {
      socket.disconnect();
    }
  }

  const echoes = async (socket) => {
    for (let i = 0; i < 5; i++) {
      assert.equal(await socket.timeout(30_000).emitWithAck('echo', i), i);
    }
  };

  const refused = () => [...proxy.statuses].filter(([status]) => status >= 400);

  it(`takes ${kClients} clients that begin by polling and upgrade`, async () => {
    await pool(kClients, kLanes, () => session({}, async (socket) => {
      const { engine } = socket.io;
      const upgrade = engine.transport.name === 'websocket' ||
        new Promise((resolve) => engine.once('upgrade', resolve));
      await echoes(socket);
      await within('the upgrade', Promise.resolve(upgrade), 30_000);
      await echoes(socket);
    }));
    assert.deepEqual(refused(), []);
    assert.ok(proxy.connections() >= 3 * kClients, `${proxy.connections()} connections`);
  });

  it(`takes ${kClients} clients that stay with polling`, async () => {
    await pool(kClients, kLanes, () => session({ transports: ['polling'] }, echoes));
    assert.deepEqual(refused(), []);
  });

  it('keeps the order of a client whose requests come to all loops', () =>
    session({ transports: ['polling'] }, async (socket) => {
      const seen = [];
      socket.on('echo', (i) => seen.push(i));
      for (let i = 0; i < 300; i++) socket.emit('echo', i);
      await socket.timeout(30_000).emitWithAck('echo');
      await within('all of them', new Promise((resolve) => {
        const look = () => (seen.length >= 300 ? resolve() : setImmediate(look));
        look();
      }), 30_000);
      assert.deepEqual(seen, Array.from({ length: 300 }, (_, i) => i));
      assert.deepEqual(refused(), []);
    }));
});
