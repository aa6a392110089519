// What an application does, over each transport and codec, against the binary.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { history, pattern, presence as presenceOf, rpc } from '@anywire/client';
import { connected, fresh, listen, make, refused, start, tokenFor, until, ways } from './stage.mjs';

for (const way of ways) {
  describe(`client over ${way.name}`, { concurrency: 6 }, () => {
    let server;
    before(async () => {
      server = await start();
    });
    after(async () => assert.equal((await server.stop()).code, 0, server.output));
    const join = (t, options = {}) => connected(t, server, { ...way.options(), ...options });

    it('connects with the token it asks for', async (t) => {
      const asked = [];
      const client = make(t, server, {
        ...way.options(),
        token: async ({ reason }) => {
          asked.push(reason);
          return tokenFor('ann');
        },
      });
      assert.equal(client.state, 'idle');
      await client.connect();
      const { state, transport, user, clientId, opens } = client.snapshot;
      assert.deepEqual({ state, transport, user, opens, asked },
        { state: 'open', transport: way.transport, user: 'ann', opens: 1, asked: ['connect'] });
      assert.match(clientId, /^[\w-]{12,}$/);
    });

    it('publishes, and hears itself and others in one order', async (t) => {
      const name = fresh();
      const [ann, bob] = await Promise.all([join(t, { token: tokenFor('ann') }), join(t)]);
      const [one, two] = await Promise.all([listen(ann, name), listen(bob, name)]);
      const values = [{ text: 'hé"llo', list: [1, -2, 2.5, null, true] }, 'plain \u0000 ä€😀',
        new Uint8Array([0, 255, 128]), null, 0, [], 'x'.repeat(20_000)];
      const kinds = ['json', 'text', 'binary', 'json', 'json', 'json', 'text'];
      const options = { event: 'chat', tags: { lang: 'en' }, messageId: 'm-1' };
      for (const [i, value] of values.entries()) {
        const done = await ann.channel(name).publish(value, i === 0 ? options : {});
        assert.deepEqual([done.offset, done.duplicate], [i + 1, false]);
        assert.equal(done.epoch, one.subscribed[0].position.epoch);
      }
      await bob.channel(name).publish('from bob');
      for (const listener of [one, two]) {
        await listener.has(values.length + 1);
        assert.deepEqual(listener.data, [...values, 'from bob']);
        assert.deepEqual(listener.messages.map(({ kind }) => kind), [...kinds, 'text']);
        assert.deepEqual(listener.messages.map(({ offset }) => offset), [1, 2, 3, 4, 5, 6, 7, 8]);
        const [{ event, tags, id, user, client, time }] = listener.messages;
        assert.deepEqual({ event, tags, id, user, client }, { event: 'chat', tags: { lang: 'en' },
          id: 'm-1', user: 'ann', client: ann.snapshot.clientId });
        assert.ok(Math.abs(time - Date.now()) < 60_000);
        assert.equal(listener.messages[7].client, bob.snapshot.clientId);
        assert.equal(listener.messages[7].user, undefined);
      }
      const again = { idempotencyKey: 'once' };
      const first = await ann.channel(name).publish('k', again);
      const second = await bob.channel(name).publish('k', again);
      assert.deepEqual(second, { ...first, duplicate: true });
      await refused(bob.channel(name).publish('other', again), 'idempotency_conflict');
    });

    it('sends much at once, in order and in frames the server takes', async (t) => {
      const name = fresh();
      const [ann, bob] = await Promise.all([join(t), join(t)]);
      const listener = await listen(bob, name);
      // Together more than a frame holds, in messages and in bytes.
      const text = 'x'.repeat(6000);
      const done = await Promise.all(
        Array.from({ length: 150 }, (_, i) => ann.channel(name).publish({ i, text })));
      assert.deepEqual(done.map(({ offset }) => offset), done.map((_, i) => i + 1));
      await listener.has(150);
      assert.deepEqual(listener.data.map(({ i }) => i), done.map((_, i) => i));
      const all = Array.from({ length: 120 }, (_, i) => `${name}:${i}`);
      const many = await Promise.all(all.map((channel) => listen(ann, channel)));
      await Promise.all(all.map((channel) => bob.channel(channel).publish(channel)));
      for (const [i, one] of many.entries()) {
        await one.has(1);
        assert.deepEqual(one.data, [all[i]]);
      }
    });

    it('listens to patterns, filters and leaves its own out', async (t) => {
      const name = fresh();
      const [ann, bob] = await Promise.all([join(t), join(t)]);
      const seen = [];
      pattern(ann, `${name}:*`).subscribe(({ channel, data }) => seen.push([channel, data]));
      const picky = await listen(ann, name, { own: false, filter: { team: ['red'] } });
      await rpc(ann, 'none').catch(() => {});
      await bob.channel(`${name}:a`).publish(1);
      await ann.channel(name).publish('mine', { tags: { team: 'red' } });
      await bob.channel(name).publish('no', { tags: { team: 'blue' } });
      await bob.channel(name).publish('yes', { tags: { team: 'red' } });
      await picky.has(1);
      assert.deepEqual([picky.data, picky.messages[0].offset, picky.gaps], [['yes'], 3, []]);
      await until('the pattern', () => seen.length > 0);
      assert.deepEqual(seen, [[`${name}:a`, 1]]);
    });

    it('pages through history, and goes on behind it without a hole', async (t) => {
      const name = fresh();
      const client = await join(t);
      const channel = client.channel(name);
      for (let i = 1; i <= 25; i++) await channel.publish(i);
      const page = await history(channel, { order: 'backward', limit: 10 });
      assert.deepEqual([page.top, page.oldest, page.more], [25, 1, true]);
      assert.deepEqual(page.messages.map(({ data }) => data), [25, 24, 23, 22, 21, 20, 19, 18, 17, 16]);
      const second = await page.next();
      assert.deepEqual([second.messages[0].data, second.messages.length], [15, 10]);
      const third = await second.next();
      assert.deepEqual([third.messages.at(-1).data, third.more, await third.next()],
        [1, false, undefined]);
      const forward = [];
      for await (const { data } of history(channel, { after: 3, limit: 4 })) forward.push(data);
      assert.deepEqual(forward, Array.from({ length: 22 }, (_, i) => i + 4));
      const { epoch, top } = page;
      await channel.publish(26);
      const listener = await listen(client, name, {}, { since: { epoch, offset: top } });
      await channel.publish(27);
      await listener.has(2);
      assert.deepEqual([listener.data, listener.gaps], [[26, 27], []]);
      const late = await join(t);
      const rewound = await listen(late, name, { rewind: 3 });
      await rewound.has(3);
      assert.deepEqual(rewound.data, [25, 26, 27]);
    });

    it('is told what it may not do, and lives on', async (t) => {
      const client = await join(t, { token: tokenFor('ann') });
      const name = fresh('own');
      const own = client.channel(name);
      const errors = [];
      own.on('error', (error) => errors.push(error));
      own.subscribe(() => {});
      await until('the refusal', () => errors.length > 0);
      assert.deepEqual([errors[0].code, errors[0].channel, errors[0].retry],
        ['forbidden', name, false]);
      for (const attempt of [() => own.publish(1), () => history(own), () => presenceOf(own).enter()]) {
        await refused(Promise.resolve(attempt()), 'forbidden', { channel: name, retry: false });
      }
      await refused(rpc(client, 'nothing'), 'no_handler');
      await refused(client.channel(fresh()).publish('x'.repeat(2 ** 20)), 'too_large');
      assert.deepEqual(client.errors.map(({ code }) => code), ['forbidden']);
      const { offset } = await client.channel(fresh()).publish('all is well');
      assert.deepEqual([offset, client.snapshot.opens], [1, 1]);
    });

    it('may do what its token allows, and no more', async (t) => {
      const allowed = fresh('own');
      const capability = { [allowed]: ['subscribe', 'publish', 'presence', 'history'] };
      const client = await join(t, { token: tokenFor('ann', 60, { capability }) });
      const listener = await listen(client, allowed);
      await client.channel(allowed).publish(1);
      await presenceOf(client.channel(allowed)).enter();
      await listener.has(1);
      await refused(client.channel(fresh('own')).publish(1), 'forbidden');
    });
  });
}
