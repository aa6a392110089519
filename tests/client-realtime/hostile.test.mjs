// `@anywire/client` and what ends connections: data that the binary does not take, tokens that are
// always at their end, and a server that is none.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { msgpack } from '@anywire/client/msgpack';
import { pause, until } from '../support/poll.mjs';
import { connected, fresh, listen, make, refused, start, tokenFor } from './stage.mjs';

let server;
before(async () => {
  server = await start({ flags: { 'auth.leeway': '30s', 'auth.expiry_grace': '30s' } });
});
after(() => server?.stop());

const nested = (levels) => {
  let value = 1;
  for (let i = 0; i < levels; i++) value = i % 2 ? [value] : { a: value };
  return value;
};
const cutEmoji = 'hello \u{1f600}'.slice(0, -1);

for (const [name, options] of [['JSON', {}], ['MessagePack', { codec: msgpack() }]]) {
  test(`what the server would end the connection for is refused before it is sent: ${name}`,
    async (t) => {
      const client = await connected(t, server, options);
      const good = await listen(client, fresh());
      for (const data of [cutEmoji, { text: cutEmoji }, { [cutEmoji]: 1 }, nested(64), nested(999)]) {
        await refused(client.channel(fresh()).publish(data), 'bad_data');
      }
      const told = [];
      const bad = client.channel(fresh() + cutEmoji);
      bad.on('error', ({ code }) => told.push(code));
      bad.subscribe(() => {});
      assert.deepEqual(told, ['bad_channel']);
      await good.channel.publish('still here');
      await good.has(1);
      assert.equal(client.snapshot.opens, 1);
    });

  test(`what is just within the limits is taken, also beside others: ${name}`, async (t) => {
    const client = await connected(t, server, options);
    const listener = await listen(client, fresh());
    const all = [nested(61), '\\ud83d', '[{"'.repeat(100), { emoji: '\u{1f600}' }];
    // In one frame, which is one level more.
    await Promise.all(all.map((data) => listener.channel.publish(data)));
    await listener.has(all.length);
    assert.deepEqual(listener.data, all);
    assert.equal(client.snapshot.opens, 1);
  });
}

test('a token that is always about to end is not asked for in a storm', async (t) => {
  let asked = 0;
  const token = tokenFor('ann', 1);
  // It is past its end soon, and the server forgives that for half a minute.
  const client = await connected(t, server, {
    token: () => {
      asked++;
      return token;
    },
    backoff: { min: 250, max: 20_000 },
  });
  await pause(4000);
  assert.ok(asked >= 2, 'it was about to end');
  assert.ok(asked < 20, `asked ${asked} times in 4 s`);
  assert.equal(client.state, 'open');
});

/** A WebSocket server of the test's own. */
async function impostor(t, handleProtocols, converse) {
  const other = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols });
  other.on('connection', converse);
  await once(other, 'listening');
  t.after(() => other.close());
  return { url: () => `ws://127.0.0.1:${other.address().port}/` };
}

test('a server that speaks no protocol of ours is an error with advice, and no storm', async (t) => {
  let connections = 0;
  const other = await impostor(t, () => false, (ws) => {
    connections++;
    ws.send('welcome');
  });
  const client = make(t, other, { backoff: { min: 250 } });
  client.connect().catch(() => {});
  await until('an error', () => client.snapshot.error);
  await pause(1000);
  assert.match(client.snapshot.error.code, /^(unsupported|network)$/);
  assert.ok(client.snapshot.error.advice);
  assert.ok(connections < 20, `${connections} connections in a second`);
});

test('a server that says nonsense with every word is survived by client and process', async (t) => {
  const nonsense = [
    { type: 'message', channel: { toString: 1 }, offset: 1 },
    { type: 'message', channel: 'room', offset: 1, binary: '!' },
    { type: 'message', channel: 'room', offset: 2, text: '{', json: true },
    { type: 'error', code: { toString: 1 } },
    { type: 'presence', channel: 'room', join: [null, 7], leave: [[]], all: true },
    { type: 'unsubscribed', channel: 'room', code: [{ toString: 1 }] },
    { type: '__proto__', channel: 'constructor' },
  ];
  const other = await impostor(t, ([first]) => first, (ws) => {
    ws.on('message', (frame) => {
      for (const { type, id, channel } of [JSON.parse(frame)].flat()) {
        const answers = {
          connect: { type: 'connected', client: 'c', session: 's', ping: -1 },
          subscribe: { type: 'subscribed', channel, epoch: 'e', offset: 0, top: 0 },
        };
        ws.send(JSON.stringify({ id, type: 'ok', ...answers[type] }));
        if (type === 'subscribe') for (const one of nonsense) ws.send(JSON.stringify(one));
        if (type === 'subscribe') {
          const good = { type: 'message', channel, offset: 3, time: 1, data: 'good' };
          ws.send(JSON.stringify(good));
        }
      }
    });
  });
  const client = make(t, other);
  const room = client.channel('room');
  const got = [];
  const errors = [];
  room.on('error', ({ code }) => errors.push(code));
  room.subscribe(({ data }) => got.push(data));
  await until('what came behind it', () => got.length > 0);
  assert.deepEqual(got, ['good']);
  assert.deepEqual(errors, ['bad_message', 'bad_message']);
  assert.ok(client.errors.length > 0);
  for (const { code } of client.errors) assert.equal(code, 'bad_message');
  assert.equal(client.snapshot.opens, 1);
});
