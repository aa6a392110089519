// The native protocol against the binary, as docs/protocol.md has it: both forms, several loops.
import assert from 'node:assert/strict';
import { modes } from '../support/suite.mjs';
import { after, before, describe, it } from 'node:test';
import WebSocket from 'ws';
import { startServer } from '../support/server.mjs';
import { Client, kSecret, token } from './client.mjs';

const kChannels = JSON.stringify([
  { pattern: 'open:*', history_messages: 100, presence: true, presence_grace: '1s',
    subscribe: 'anyone', publish: 'anyone', history_access: 'anyone', presence_access: 'anyone' },
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
          4451],
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

    it('speaks JSON to who names no subprotocol', async () => {
      const socket = new WebSocket(server.url('/anywire'), { rejectUnauthorized: false });
      const client = await keep(new Client(socket, 'json'));
      await new Promise((resolve) => socket.once('open', resolve));
      assert.equal((await client.ask('connect')).type, 'connected');
    });
  });
}
