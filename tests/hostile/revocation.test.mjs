// How soon who has lost the right to be there is gone, however they are connected, and that nobody
// else goes with them.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import WebSocket from 'ws';
import { Caller } from '../api/support.mjs';
import { Client, kSecret, token } from '../native/client.mjs';
import { Events, Polled } from '../native/streams.mjs';
import { within } from '../support/poll.mjs';
import { startServer } from '../support/server.mjs';

const kRevoked = 4453;
const kEach = 50;
const now = () => Math.floor(Date.now() / 1000);
const tokenOf = (sub, more) =>
  token({ sub, iat: now() - 5, exp: now() + 600, capability: { '*': ['*'] }, ...more });

describe('a revocation', { concurrency: false }, () => {
  let server;
  let api;
  before(async () => {
    server = await startServer({ conformance: false, loops: 2, flags: {
      'auth.hs256_secret': kSecret, channels: JSON.stringify([{ pattern: '*' }]) } });
    api = new Caller(server);
  });
  after(async () => {
    api.close();
    assert.equal((await server.stop()).code, 0, server.output);
  });

  const raw = async (text) => {
    const socket = new WebSocket(server.url('/raw/room'), { headers: { Authorization: `Bearer ${text}` } });
    await within('a member', once(socket, 'open'));
    return { socket, closed: once(socket, 'close').then(([code]) => ({ code })) };
  };
  const stream = async (text) => {
    const events = await Events.connect(server, { token: text });
    const closed = (async () => {
      for (;;) {
        const event = await events.next(10_000);
        if (!event || event.name === 'close') return event ? JSON.parse(event.data) : {};
      }
    })();
    return { closed, stop: () => events.destroy() };
  };
  const poll = async (text) => {
    const polled = await Polled.connect(server, { token: text });
    const closed = (async () => {
      for (;;) {
        const { close } = await polled.next();
        if (close) return close;
      }
    })();
    return { closed };
  };
  /** A crowd of one user, by every way to connect; `ends` resolves to all close codes. */
  const crowd = async (text) => {
    const made = await Promise.all([
      ...Array.from({ length: kEach }, () => Client.connect(server, { token: text })),
      ...Array.from({ length: kEach }, () => raw(text)),
      ...Array.from({ length: 5 }, () => stream(text)),
      ...Array.from({ length: 5 }, () => poll(text))]);
    return {
      size: made.length,
      ends: Promise.all(made.map(async ({ closed }) => (await closed).code)),
      stop: () => made.forEach(({ socket, stop }) => (socket ? socket.terminate() : stop?.())),
    };
  };

  for (const [what, sub, claims, body] of [
    ['of a user', 'ann', {}, { user: 'ann' }],
    ['of a token', 'bea', { jti: 'lost' }, { token: 'lost' }],
  ]) {
    it(`${what} ends all connections within a second`, async () => {
      const text = tokenOf(sub, claims);
      const lost = await crowd(text);
      const other = await Client.connect(server, { token: tokenOf('cat') });
      const start = performance.now();
      const answer = await api.post('/revocations', body);
      const codes = await within('the end of all', lost.ends);
      const took = performance.now() - start;
      assert.equal(answer.status, 200, answer.raw);
      assert.deepEqual(answer.body, { disconnected: lost.size });
      assert.deepEqual(codes, codes.map(() => kRevoked));
      assert.ok(took < 1000, `${took} ms`);
      const again = await Client.open(server);
      again.send({ type: 'connect', id: 1, token: text });
      assert.equal((await within('the refusal', again.closed)).code, kRevoked);
      assert.equal((await other.ask('ping')).type, 'pong', 'and nobody else');
      other.socket.terminate();
      lost.stop();
    });
  }
});
