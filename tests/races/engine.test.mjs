// Connections of Engine.IO that change their loop, under load; see load.test.mjs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Socket as Client } from 'engine.io-client';
import { until } from '../support/poll.mjs';
import { startServer } from '../support/server.mjs';

const kClients = 24;
const kMessages = 40;
const kPatience = { deadlineMs: 120_000 };

for (const secure of [false, true]) {
  test(`engine.io-client over four loops [${secure ? 'tls' : 'plain'}]`, async () => {
    const server = await startServer({ loops: 4, secure, flags: { 'engine.ping_timeout': '2m' } });
    await Promise.all(Array.from({ length: kClients }, async (_, i) => {
      const client = new Client(server.url('', 'http'), {
        path: '/engine.io/', rejectUnauthorized: false, agent: false,
        transports: i % 3 === 0 ? ['polling'] : ['polling', 'websocket'],
      });
      const got = [];
      client.on('message', (data) => got.push(data));
      for (let n = 0; n < kMessages; ++n) {
        client.send(`${n}`);
        if (n % 4 === 0) await until('an echo', () => got.length > n, kPatience);
      }
      await until('all echoes', () => got.length === kMessages, kPatience);
      assert.deepEqual(got, Array.from({ length: kMessages }, (__, n) => `${n}`));
      // Half of them leave as they are, in the drain.
      if (i % 2 === 0) client.close();
    }));
    const { code, signal } = await server.stop({ deadlineMs: 120_000 });
    assert.equal(code, 0, `${signal} ${server.output}`);
  });
}
