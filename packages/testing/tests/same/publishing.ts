import { expect, it } from 'vitest';
import type { Stage } from './stage';

export function publishing(s: Stage): void {
  it('gives each message the next offset, in one order for everybody', async () => {
    const name = s.fresh();
    const [ann, bob] = [await s.open(), await s.open()];
    const [one, two] = [await s.listen(ann, name), await s.listen(bob, name)];
    const sent = Array.from({ length: 20 }, (_, i) => (i % 2 ? ann : bob).channel(name).publish(i));
    const done = await s.done(Promise.all(sent));
    await s.has(one, 20);
    await s.has(two, 20);
    expect(one.data).toEqual(two.data);
    expect(one.messages.map(({ offset }) => offset)).toEqual(done.map((_, i) => i + 1));
    expect(done.map(({ offset }) => offset).sort((a, b) => a - b)).toEqual(
      done.map((_, i) => i + 1),
    );
  });

  it('hands on every form of payload as it is', async () => {
    const name = s.fresh();
    const client = await s.open();
    const log = await s.listen(client, name);
    const values = [
      { text: 'hé"llo', list: [1, -2, 2.5, null, true] },
      'plain \u0000 ä€😀',
      new Uint8Array([0, 255, 128]),
      null,
      0,
      [],
      '',
      new Uint8Array(),
    ];
    for (const value of values) await s.done(client.channel(name).publish(value));
    await s.has(log, values.length);
    expect(log.data).toEqual(values);
    const kinds = ['json', 'text', 'binary', 'json', 'json', 'json', 'text', 'binary'];
    expect(log.messages.map(({ kind }) => kind)).toEqual(kinds);
  });

  it('hands on event, id, tags, user and client', async () => {
    const name = s.fresh();
    const client = await s.open({ token: s.token({ sub: 'ann' }) });
    const log = await s.listen(client, name);
    const before = Math.floor(s.world.now());
    await s.done(
      client.channel(name).publish(1, { event: 'chat', messageId: 'm', tags: { lang: 'en' } }),
    );
    await s.has(log, 1);
    const { clientId } = client.snapshot;
    expect(log.messages[0]).toMatchObject({
      channel: name,
      offset: 1,
      event: 'chat',
      id: 'm',
      tags: { lang: 'en' },
      user: 'ann',
      client: clientId,
    });
    const { time, epoch } = log.messages[0] as { time: number; epoch: string };
    expect(Math.abs(time - before)).toBeLessThan(5000);
    expect(epoch).toMatch(/^[0-9a-f]{16}$/);
  });

  it('leaves members out that there is nothing to say about', async () => {
    const name = s.fresh();
    const listener = await s.raw({});
    const writer = await s.raw({});
    await listener.ask('subscribe', { channel: name });
    await writer.ask('publish', { channel: name, data: 1, event: '', tags: {} });
    const { time: _, client: __, ...rest } = await listener.next();
    expect(rest).toEqual({ type: 'message', channel: name, offset: 1, data: 1 });
  });

  it('publishes once under one key, and says so', async () => {
    const name = s.fresh();
    const [ann, bob] = [await s.open(), await s.open()];
    const log = await s.listen(ann, name);
    const options = { idempotencyKey: 'k' };
    const first = await s.done(ann.channel(name).publish('x', options));
    const second = await s.done(bob.channel(name).publish('x', options));
    expect(first.duplicate).toBe(false);
    expect(second).toEqual({ ...first, duplicate: true });
    await s.done(ann.channel(name).publish('end'));
    await s.has(log, 2);
    expect(log.data).toEqual(['x', 'end']);
  });

  it('looks at payload, form and event when a key comes again, and at nothing else', async () => {
    const name = s.fresh();
    const raw = await s.raw({});
    const key = { channel: name, idempotencyKey: 'k' };
    expect((await raw.ask('publish', { ...key, data: 'x', event: 'e' })).type).toBe('published');
    const same = await raw.ask('publish', { ...key, data: 'x', event: 'e', tags: { a: 'b' } });
    expect(same).toMatchObject({ type: 'published', offset: 1, duplicate: true });
    for (const other of [
      { data: 'y', event: 'e' },
      { text: 'x', event: 'e' },
      { data: 'x', event: 'f' },
      { data: 'x' },
    ]) {
      const { code, retry } = await raw.ask('publish', { ...key, ...other });
      expect([code, retry]).toEqual(['idempotency_conflict', false]);
    }
  });

  it('keeps the keys of channels apart', async () => {
    const raw = await s.raw({});
    for (const channel of [s.fresh(), s.fresh()]) {
      const done = await raw.ask('publish', { channel, data: 1, idempotencyKey: 'k' });
      expect(done).toMatchObject({ type: 'published', offset: 1 });
      expect(done.duplicate).toBeUndefined();
    }
  });

  it('does not publish twice what was sent again after a break', async () => {
    const name = s.fresh();
    const [ann, bob] = [await s.open(), await s.open()];
    const log = await s.listen(bob, name);
    const sent = [1, 2, 3].map((n) => ann.channel(name).publish(n));
    s.cut(ann);
    const done = await s.done(Promise.all(sent));
    await s.done(bob.channel(name).publish('end'));
    await s.until('the end', () => log.data.includes('end'));
    expect(log.data).toEqual([1, 2, 3, 'end']);
    expect(done.map(({ offset }) => offset)).toEqual([1, 2, 3]);
  });

  it('answers a publish without an id only when it fails', async () => {
    const name = s.fresh();
    const raw = await s.raw({});
    raw.send({ type: 'publish', channel: name, data: 1 });
    raw.send({ type: 'publish', channel: 'own:1', data: 1 });
    const error = await raw.next();
    expect(error).toMatchObject({
      type: 'error',
      code: 'forbidden',
      channel: 'own:1',
      retry: false,
    });
    expect(error.id).toBeUndefined();
    expect(await raw.ask('history', { channel: name })).toMatchObject({ top: 1 });
    expect(raw.pushes).toEqual([]);
  });

  it('publishes for who is not subscribed', async () => {
    const name = s.fresh();
    const client = await s.open();
    expect(await s.done(client.channel(name).publish(1))).toMatchObject({ offset: 1 });
  });

  it('holds what is published while there is no connection, and keeps the order', async () => {
    const name = s.fresh();
    const [ann, bob] = [await s.open(), await s.open()];
    const log = await s.listen(bob, name);
    s.cut(ann, true);
    const sent = [1, 2, 3].map((n) => ann.channel(name).publish(n));
    await s.is(ann, 'waiting');
    expect(log.data).toEqual([]);
    await s.back(ann);
    await s.done(Promise.all(sent));
    await s.has(log, 3);
    expect(log.data).toEqual([1, 2, 3]);
  });

  it('carries several commands of one frame out in their order', async () => {
    const name = s.fresh();
    const raw = await s.raw({});
    const ids = Array.from({ length: 100 }, () => raw.id());
    raw.send(...ids.map((id, i) => ({ type: 'publish', id, channel: name, data: i })));
    const replies = await Promise.all(ids.map((id) => raw.reply(id)));
    expect(replies.map(({ offset }) => offset)).toEqual(ids.map((_, i) => i + 1));
  });

  it('publishes one of many that come at once with the same key', async () => {
    const name = s.fresh();
    const clients = [await s.open(), await s.open(), await s.open()];
    const options = { idempotencyKey: 'k' };
    const done = await s.done(
      Promise.all(clients.map((client) => client.channel(name).publish('x', options))),
    );
    expect(done.map(({ offset }) => offset)).toEqual([1, 1, 1]);
    expect(done.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
  });

  it('carries half a megabyte, there and back', async () => {
    const name = s.fresh();
    const client = await s.open();
    const log = await s.listen(client, name);
    const text = 'ä😀x'.repeat(60_000);
    const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7) % 256);
    await s.done(client.channel(name).publish(text));
    await s.done(client.channel(name).publish(bytes));
    await s.has(log, 2);
    expect(log.data[0] === text).toBe(true);
    // Element by element it would take seconds.
    expect(Buffer.compare(log.data[1] as Uint8Array, bytes)).toBe(0);
  });

  it('reaches every device of a user, and nobody else', async () => {
    const ann = await Promise.all([1, 2].map(() => s.open({ token: s.token({ sub: 'ann' }) })));
    const logs = [];
    for (const client of ann) logs.push(await s.listen(client, '$user:ann'));
    const capability = { '$user:*': ['publish'] };
    const sender = await s.open({ token: s.token({ sub: 'app', capability }) });
    await s.done(sender.channel('$user:ann').publish('psst'));
    for (const log of logs) {
      await s.has(log, 1);
      expect(log.data).toEqual(['psst']);
    }
    const own = await s.open({ token: s.token({ sub: 'ann' }) });
    expect(await s.refused(own.channel('$user:bob').publish(1))).toMatchObject({
      code: 'forbidden',
    });
  });
}
