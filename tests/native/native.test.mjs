// The native protocol against the binary, as docs/protocol.md has it: both forms, several loops.
import assert from 'node:assert/strict';
import { modes } from '../support/suite.mjs';
import { after, before, describe, it } from 'node:test';
import WebSocket from 'ws';
import { startServer } from '../support/server.mjs';
import { Client, kSecret, token } from './client.mjs';
import { applyDelta } from './delta.mjs';

const kChannels = JSON.stringify([
  { pattern: 'open:*', history_messages: 100, presence: true, presence_grace: '1s',
    subscribe: 'anyone', publish: 'anyone', history_access: 'anyone', presence_access: 'anyone' },
  { pattern: 'crowd:*', presence: true, occupancy: true, subscribe: 'anyone',
    presence_access: 'anyone' },
  { pattern: 'full:*', presence: true, presence_grace: '0s', members_max: 1,
    presence_access: 'anyone' },
  { pattern: '$user:*', history_messages: 10 },
  { pattern: 'game:*', history_messages: 10, delta: true, subscribe: 'anyone',
    publish: 'anyone' },
  { pattern: 'short:*', history_messages: 2, subscribe: 'anyone', publish: 'anyone' },
  { pattern: 'own:*', history_messages: 10, presence: true },
]);
const flags = { 'auth.hs256_secret': kSecret, 'auth.anonymous': true, channels: kChannels,
  'auth.expiry_required': false };

const blank = ({ time, epoch, ...rest }) => rest;

for (const mode of modes) {
  describe(`native protocol [${mode.name}]`, { concurrency: 8 }, () => {
    let server;
    const opened = [];
    const keep = async (client) => (opened.push(await client), opened.at(-1));
    const connect = (...more) => keep(Client.connect(server, ...more));
    before(async () => {
      server = await startServer({ ...mode, flags, conformance: false });
    });
    after(async () => {
      for (const client of opened) client.socket.terminate();
      const { code } = await server.stop();
      assert.equal(code, 0, server.output);
    });

    for (const format of ['json', 'msgpack']) {
      it(`connects, subscribes and publishes in ${format}`, async () => {
        const channel = `open:${format}`;
        const ann = await connect({ token: token({ sub: 'ann' }) }, { format });
        const bob = await connect({}, { format: format === 'json' ? 'msgpack' : 'json' });
        assert.equal(ann.connected.type, 'connected');
        assert.equal(ann.connected.user, 'ann');
        assert.equal(ann.connected.resumed, false);
        for (const client of [ann, bob]) {
          const { type, offset, top, recoverable } = await client.ask('subscribe', { channel });
          assert.deepEqual({ type, offset, top, recoverable },
            { type: 'subscribed', offset: 0, top: 0, recoverable: true });
        }
        const sent = [
          { data: { text: 'hé"llo', list: [1, -2, 2.5, null, true] }, event: 'chat',
            tags: { a: 'b' }, messageId: 'm-1' },
          { text: 'plain \u0000 text' },
          { binary: format === 'json' ? 'AP+A' : new Uint8Array([0, 255, 128]) },
        ];
        for (const [i, message] of sent.entries()) {
          const reply = await ann.ask('publish', { channel, ...message });
          assert.equal(reply.type, 'published');
          assert.equal(reply.offset, i + 1);
        }
        for (const client of [ann, bob]) {
          const pushes = [];
          for (const _ of sent) pushes.push(blank(await client.next()));
          const common = { type: 'message', channel, client: ann.connected.client, user: 'ann' };
          const { messageId, ...first } = sent[0];
          assert.deepEqual(pushes[0], { ...common, offset: 1, id: messageId, ...first });
          assert.deepEqual(pushes[1], { ...common, offset: 2, text: sent[1].text });
          const binary = pushes[2].binary;
          assert.deepEqual([...(client.format === 'json' ? Buffer.from(binary, 'base64') : binary)],
            [0, 255, 128]);
        }
      });
    }

    it('recovers what was missed, and says what cannot be', async () => {
      for (const [channel, recovered] of [['open:recover', true], ['short:recover', false]]) {
        const reader = await connect();
        const { epoch, offset } = await reader.ask('subscribe', { channel });
        assert.equal(offset, 0);
        reader.socket.terminate();
        const writer = await connect();
        for (let i = 1; i <= 5; ++i) await writer.ask('publish', { channel, data: i });
        const again = await connect();
        const reply = await again.ask('subscribe', { channel, since: { epoch, offset } });
        assert.equal(reply.recovered, recovered);
        assert.equal(reply.epoch, epoch);
        assert.deepEqual(reply.gap, recovered ? undefined : { from: 1, to: 3, reason: 'evicted' });
        for (let i = reply.offset + 1; i <= 5; ++i) {
          const push = await again.next();
          assert.deepEqual([push.offset, push.data], [i, i]);
        }
      }
    });

    it('pages through history', async () => {
      const channel = 'open:history';
      const client = await connect();
      for (let i = 1; i <= 5; ++i) await client.ask('publish', { channel, data: i });
      const page = await client.ask('history', { channel, order: 'backward', limit: 2 });
      assert.deepEqual([page.top, page.oldest, page.more], [5, 1, true]);
      assert.deepEqual(page.messages.map((message) => message.data), [5, 4]);
      const rest = await client.ask('history', { channel, order: 'backward', before: 4 });
      assert.deepEqual(rest.messages.map((message) => message.offset), [3, 2, 1]);
      assert.equal(rest.more, false);
    });

    it('publishes once for one key', async () => {
      const channel = 'open:once';
      const client = await connect();
      const publish = () => client.ask('publish', { channel, data: 1, idempotencyKey: 'k' });
      const first = await publish();
      const { id, duplicate, ...second } = await publish();
      assert.equal(duplicate, true);
      assert.deepEqual({ ...second, id: first.id }, first);
      const other = await client.ask('publish', { channel, data: 2, idempotencyKey: 'k' });
      assert.equal(other.code, 'idempotency_conflict');
    });

    it('tells who is present, also when a session comes back', async () => {
      const channel = 'open:presence';
      const listener = await connect();
      await listener.ask('subscribe', { channel, presence: true });
      const all = await listener.next();
      assert.deepEqual([all.type, all.all, all.count], ['presence', true, 0]);
      const ann = await connect({ token: token({ sub: 'ann', info: { name: 'Ann' } }) });
      assert.equal((await ann.ask('enter', { channel })).type, 'ok');
      const joined = await listener.next();
      assert.deepEqual(joined.join,
        [{ client: ann.connected.client, user: 'ann', info: { name: 'Ann' } }]);
      ann.socket.terminate();
      const back = await connect({ token: token({ sub: 'ann' }), session: ann.connected.session });
      assert.deepEqual([back.connected.resumed, back.connected.client],
        [true, ann.connected.client]);
      const members = await back.ask('members', { channel });
      assert.deepEqual([members.count, members.users], [1, 1]);
      assert.equal((await back.ask('leave', { channel })).type, 'ok');
      const left = await listener.next();
      // Its info may have become the new token's in between.
      const leave = left.leave ? left : await listener.next();
      assert.deepEqual(leave.leave, [{ client: ann.connected.client, user: 'ann', reason: 'left' }]);
      assert.equal((await back.ask('leave', { channel })).code, 'not_present');
    });

    it('closes the old connection of a session that is taken over', async () => {
      const first = await connect();
      const second = await connect({ session: first.connected.session });
      assert.equal(second.connected.resumed, true);
      assert.equal((await first.closed).code, 4409);
      await second.ask('ping');
      const third = await connect({ session: first.connected.session });
      assert.equal(third.connected.resumed, false);
    });

    it('subscribes to patterns', async () => {
      const client = await connect();
      const other = await connect();
      await client.ask('subscribe', { pattern: 'open:pattern:?' });
      for (const name of ['1', '2', '33']) {
        await other.ask('publish', { channel: `open:pattern:${name}`, data: name });
      }
      const got = [await client.next(), await client.next()].map((push) => push.data).sort();
      assert.deepEqual(got, ['1', '2']);
      assert.equal(client.unread, 0);
    });

    it('leaves out what a client does not want, and says so', async () => {
      const channel = 'open:filter';
      const client = await connect();
      await client.ask('subscribe', { channel, own: false, filter: { team: ['red'] } });
      await client.ask('publish', { channel, data: 'mine', tags: { team: 'red' } });
      const other = await connect();
      await other.ask('publish', { channel, data: 'no', tags: { team: 'blue' } });
      await other.ask('publish', { channel, data: 'yes', tags: { team: 'red' } });
      const pushes = [await client.next(), await client.next()];
      assert.deepEqual(pushes[0], { type: 'advance', channel, offset: 2 });
      assert.deepEqual([pushes[1].offset, pushes[1].data], [3, 'yes']);
    });

    it('answers every fault and lives on', async () => {
      const client = await connect();
      const code = async (type, members) => (await client.ask(type, members)).code;
      const channel = 'open:errors';
      await client.ask('subscribe', { channel });
      const faults = [
        ['fly', {}, 'unknown_type'],
        ['connect', {}, 'already_connected'],
        ['subscribe', {}, 'bad_message'],
        ['subscribe', { channel: '' }, 'bad_channel'],
        ['subscribe', { channel }, 'already_subscribed'],
        ['subscribe', { channel: 'own:1' }, 'forbidden'],
        ['unsubscribe', { channel: 'x' }, 'not_subscribed'],
        ['publish', { channel }, 'bad_message'],
        ['publish', { channel: 'own:1', data: 1 }, 'forbidden'],
        ['publish', { channel, data: 1, event: 'e'.repeat(256) }, 'too_large'],
        ['history', { channel: 'own:1' }, 'forbidden'],
        ['enter', { channel: 'short:1' }, 'forbidden'],
        ['members', { channel, limit: 0 }, 'bad_message'],
        ['leave', { channel }, 'not_present'],
        ['auth', { token: 'x' }, 'unauthorized'],
        ['rpc', { method: 'm' }, 'no_handler'],
      ];
      for (const [type, members, expected] of faults) {
        assert.equal(await code(type, members), expected, `${type} ${JSON.stringify(members)}`);
      }
      assert.equal((await client.ask('ping')).type, 'pong');
    });

    it('closes with a code that says what to do', async () => {
      const cases = [
        [(client) => client.socket.send('{'), 4400],
        [(client) => client.socket.send(Buffer.from('{}')), 4400],
        [(client) => client.ask('connect', { token: 'x' }).catch(() => {}), 4451],
        [(client) => client.ask('connect', { token: token({ sub: 'a', exp: 1 }) }).catch(() => {}),
          4452],
        [(client) => client.ask('connect', { token: token({ sub: 'a', nbf: 9e9 }) })
          .catch(() => {}), 4451],
      ];
      for (const [act, expected] of cases) {
        const client = await keep(Client.open(server));
        act(client);
        assert.equal((await client.closed).code, expected);
      }
    });

    it('grants what the token says', async () => {
      const client = await connect({ token: token({ sub: 'a', channels: ['own:listed'],
        capability: { 'own:a*': ['subscribe', 'publish'] } }) });
      const listed = await client.next();
      assert.deepEqual([listed.type, listed.channel, listed.id],
        ['subscribed', 'own:listed', undefined]);
      assert.equal((await client.ask('subscribe', { channel: 'own:abc' })).type, 'subscribed');
      assert.equal((await client.ask('history', { channel: 'own:abc' })).code, 'forbidden');
      const reply = await client.ask('auth', { token: token({ sub: 'a' }) });
      assert.equal(reply.type, 'ok');
      const dropped = [await client.next(), await client.next()];
      assert.deepEqual(dropped.map(({ type, channel, code }) => [type, channel, code]).sort(),
        [['unsubscribed', 'own:abc', 'forbidden'], ['unsubscribed', 'own:listed', 'forbidden']]);
    });

    it('lets a command decide how a channel of the token is subscribed to', async () => {
      const channel = 'open:token';
      const bearer = token({ sub: 'a', channels: [channel] });
      const writer = await connect();
      const first = await connect({ token: bearer });
      const { type, epoch, offset } = await first.next();
      assert.deepEqual([type, offset], ['subscribed', 0]);
      for (let i = 1; i <= 3; ++i) await writer.ask('publish', { channel, data: i });
      // In the frame of connect: once, and nothing is missing.
      const back = await keep(Client.open(server));
      back.send([{ type: 'connect', id: 101, token: bearer },
        { type: 'subscribe', id: 102, channel, since: { epoch, offset: 1 } }]);
      const heard = [];
      for (let i = 0; i < 4; ++i) heard.push(await back.next());
      assert.deepEqual(heard.map((one) => [one.type, one.id, one.offset]),
        [['connected', 101, undefined], ['subscribed', 102, 1], ['message', undefined, 2],
          ['message', undefined, 3]]);
      assert.equal(heard[1].recovered, true);
      // Later: it is made anew.
      for (let i = 1; i <= 3; ++i) assert.equal((await first.next()).offset, i);
      const again = await first.ask('subscribe', { channel, rewind: 1 });
      assert.deepEqual([again.type, again.offset], ['subscribed', 2]);
      assert.equal((await first.next()).offset, 3);
      await writer.ask('publish', { channel, data: 4 });
      assert.equal((await first.next()).offset, 4);
      assert.equal((await first.ask('subscribe', { channel })).code, 'already_subscribed');
      assert.equal(first.unread, 0);
    });

    it('sends once what several patterns take', async () => {
      const client = await connect();
      const other = await connect();
      await client.ask('subscribe', { pattern: 'open:several:*' });
      await client.ask('subscribe', { pattern: '*:several:*', filter: { never: ['x'] } });
      await client.ask('subscribe', { pattern: 'open:*:?' });
      for (let i = 1; i <= 20; ++i) {
        await other.ask('publish', { channel: `open:several:${i % 3}`, data: i });
      }
      await client.ask('ping');
      const got = [];
      for (let i = 1; i <= 20; ++i) got.push((await client.next()).data);
      assert.deepEqual(got.sort((a, b) => a - b), Array.from({ length: 20 }, (_, i) => i + 1));
      await client.ask('ping');
      assert.equal(client.unread, 0);
    });

    it('recovers and rewinds for who may subscribe, and shows history to who may read it',
      async () => {
        const channel = 'short:rights';
        const client = await connect();
        for (let i = 1; i <= 3; ++i) await client.ask('publish', { channel, data: i });
        const { offset } = await client.ask('subscribe', { channel, rewind: 5 });
        assert.equal(offset, 1);
        assert.deepEqual([(await client.next()).data, (await client.next()).data], [2, 3]);
        assert.equal((await client.ask('history', { channel })).code, 'forbidden');
      });

    it('says when history is of another epoch', async () => {
      const channel = 'open:epochs';
      const client = await connect();
      await client.ask('publish', { channel, data: 1 });
      const { epoch } = await client.ask('history', { channel });
      assert.equal((await client.ask('history', { channel, epoch })).messages.length, 1);
      const { code, retry } = await client.ask('history', { channel, epoch: 'f'.repeat(16) });
      assert.deepEqual([code, retry], ['epoch_changed', false]);
    });

    it('hands on numbers that only one form can say', async () => {
      const channel = 'open:numbers';
      const json = await connect();
      const msgpack = await connect({}, { format: 'msgpack' });
      for (const client of [json, msgpack]) await client.ask('subscribe', { channel });
      for (const data of ['[1e400, 12345678901234567890]', '12345678901234567890']) {
        json.socket.send(`{"type":"publish","channel":"${channel}","data":${data}}`);
      }
      const { data, text, json: flag } = await msgpack.next();
      assert.deepEqual([data, text, flag], [undefined, '[1e400, 12345678901234567890]', true]);
      assert.equal((await msgpack.next()).data, 12345678901234567890);
      assert.deepEqual((await json.next()).data, [Infinity, 12345678901234567890]);
    });

    it('has a channel for each user', async () => {
      const all = { capability: { '*': ['*'] } };
      const ann = await connect({ token: token({ sub: 'ann' }) });
      const bob = await connect({ token: token({ sub: 'bob', ...all }) }, { format: 'msgpack' });
      const channel = '$user:ann';
      assert.equal((await ann.ask('subscribe', { channel })).type, 'subscribed');
      assert.equal((await bob.ask('subscribe', { channel })).code, 'forbidden');
      assert.equal((await bob.ask('history', { channel })).code, 'forbidden');
      assert.equal((await bob.ask('subscribe', { pattern: '*' })).type, 'subscribed');
      assert.equal((await bob.ask('publish', { channel, data: 'hi' })).type, 'published');
      const { data, user } = await ann.next();
      assert.deepEqual([data, user], ['hi', 'bob']);
      assert.equal((await ann.ask('publish', { channel, data: 1 })).code, 'forbidden');
      assert.equal((await bob.ask('subscribe', { channel: '$other' })).code, 'forbidden');
      while (bob.unread > 0) assert.ok(!(await bob.next()).channel.startsWith('$'));
      const raw = new WebSocket(server.url('/raw/$user:ann'), { rejectUnauthorized: false });
      const status = await new Promise((resolve) => {
        raw.on('unexpected-response', (_, response) => resolve(response.statusCode));
        raw.on('open', () => resolve('open'));
        raw.on('error', () => {});
      });
      raw.terminate();
      assert.equal(status, 403);
    });

    it('tells messages by what has changed', async () => {
      const channel = 'game:1';
      const states = [];
      for (let round = 0; round < 20; ++round) {
        const players = Array.from({ length: 30 }, (_, id) => ({ id, at: [id, (id * round) % 7] }));
        states.push({ round, players, note: 'ü'.repeat(round) });
      }
      const clients = [await connect(), await connect({}, { format: 'msgpack' })];
      for (const client of clients) {
        assert.equal((await client.ask('subscribe', { channel, delta: true })).delta, true);
      }
      const writer = await connect();
      for (const data of states) writer.send({ type: 'publish', channel, data });
      for (const client of clients) {
        let last;
        let deltas = 0;
        for (const state of states) {
          const push = await client.next();
          if (push.delta) {
            ++deltas;
            assert.equal(push.of, 'json');
            last = applyDelta(last, Buffer.from(push.delta, 'base64'));
          } else {
            assert.equal(push.json, true);
            last = Buffer.from(push.text);
          }
          assert.deepEqual(JSON.parse(last), state);
        }
        assert.ok(deltas > 10, `${deltas} deltas`);
      }
      const plain = await connect();
      assert.equal((await plain.ask('subscribe', { channel, rewind: 1 })).delta, undefined);
      assert.deepEqual((await plain.next()).data, states.at(-1));
    });

    it('tells how many listen', async () => {
      const channel = 'crowd:1';
      const watcher = await connect();
      const first = await watcher.ask('subscribe', { channel, occupancy: true });
      assert.equal(first.type, 'subscribed');
      assert.deepEqual(await watcher.next(),
        { type: 'occupancy', channel, subscribers: 1, count: 0, users: 0 });
      const other = await connect({}, { format: 'msgpack' });
      await other.ask('subscribe', { channel });
      const { id, ...reply } = await other.ask('occupancy', { channel });
      assert.deepEqual(reply, { type: 'occupancy', channel, subscribers: 2, count: 0, users: 0 });
      assert.equal((await watcher.next()).subscribers, 2);
      other.socket.terminate();
      assert.equal((await watcher.next()).subscribers, 1);
      assert.equal((await watcher.ask('occupancy', { channel: 'open:1' })).code, 'no_occupancy');
    });

    it('takes the old session until the new one is proven', async () => {
      const channel = 'open:proof';
      const first = await connect({ token: token({ sub: 'ann' }) });
      await first.ask('enter', { channel });
      const { client, session } = first.connected;
      first.socket.terminate();
      // Each answer is lost with its connection.
      for (let i = 0; i < 4; ++i) {
        const lost = await connect({ token: token({ sub: 'ann' }), session });
        assert.deepEqual([lost.connected.resumed, lost.connected.client], [true, client]);
        lost.socket.terminate();
      }
      const back = await connect({ token: token({ sub: 'ann' }), session });
      assert.equal(back.connected.resumed, true);
      assert.equal((await back.ask('members', { channel })).members[0].client, client);
      const late = await connect({ token: token({ sub: 'ann' }), session });
      assert.equal(late.connected.resumed, false);
      assert.equal((await back.ask('ping')).type, 'pong');
    });

    it('tells who comes back that its place is taken', async () => {
      const channel = 'full:1';
      const first = await connect();
      assert.equal((await first.ask('enter', { channel })).type, 'ok');
      first.socket.terminate();
      const other = await connect();
      let reply;
      do reply = await other.ask('enter', { channel }); while (reply.type !== 'ok');
      const back = await connect({ session: first.connected.session });
      assert.equal(back.connected.resumed, true);
      const { type, code } = await back.next();
      assert.deepEqual([type, code], ['left', 'too_many_members']);
      assert.equal((await back.ask('leave', { channel })).code, 'not_present');
    });

    it('speaks JSON to who names no subprotocol', async () => {
      const socket = new WebSocket(server.url('/anywire'), { rejectUnauthorized: false });
      const client = await keep(new Client(socket, 'json'));
      await new Promise((resolve) => socket.once('open', resolve));
      assert.equal((await client.ask('connect')).type, 'connected');
    });
  });
}
