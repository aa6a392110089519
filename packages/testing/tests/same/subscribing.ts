import { pattern } from '@anywire/client';
import { expect, it } from 'vitest';
import type { Stage } from './stage';

export function subscribing(s: Stage): void {
  it('begins at the top', async () => {
    const name = s.fresh();
    const raw = await s.raw({});
    for (let i = 1; i <= 3; i++) await raw.ask('publish', { channel: name, data: i });
    const { id: _, epoch, ...reply } = await raw.ask('subscribe', { channel: name });
    expect(reply).toEqual({
      type: 'subscribed',
      channel: name,
      offset: 3,
      top: 3,
      recoverable: true,
    });
    await raw.ask('publish', { channel: name, data: 4 });
    expect(await raw.next()).toMatchObject({ offset: 4, data: 4 });
    expect((await raw.ask('history', { channel: name })).epoch).toBe(epoch);
  });

  it('says of a channel without history that it cannot be recovered', async () => {
    const raw = await s.raw({});
    const name = s.fresh('bare');
    expect(await raw.ask('subscribe', { channel: name })).toMatchObject({ recoverable: false });
    expect(await raw.code('history', { channel: name })).toBe('no_history');
  });

  it('delivers nothing after unsubscribe', async () => {
    const name = s.fresh();
    const raw = await s.raw({});
    await raw.ask('subscribe', { channel: name });
    expect(await raw.code('unsubscribe', { channel: name })).toBe('ok');
    await raw.ask('publish', { channel: name, data: 1 });
    await raw.ask('ping');
    expect(raw.pushes).toEqual([]);
    expect(await raw.code('unsubscribe', { channel: name })).toBe('not_subscribed');
    expect(await raw.code('subscribe', { channel: name })).toBe('subscribed');
  });

  it('subscribes a channel once on a connection', async () => {
    const name = s.fresh();
    const raw = await s.raw({});
    expect(await raw.code('subscribe', { channel: name })).toBe('subscribed');
    expect(await raw.code('subscribe', { channel: name })).toBe('already_subscribed');
  });

  it('keeps channels apart', async () => {
    const [a, b] = [s.fresh(), s.fresh()];
    const client = await s.open();
    const [one, two] = [await s.listen(client, a), await s.listen(client, b)];
    await s.publish(client, a, 1, 2);
    await s.publish(client, b, 11, 12);
    await s.has(two, 2);
    expect([one.data, two.data]).toEqual([
      [1, 2],
      [11, 12],
    ]);
  });

  it.each([
    [2, [3, 4]],
    [10, [1, 2, 3, 4]],
    [0, []],
  ])('rewinds %i messages, as far as history goes', async (rewind, expected) => {
    const name = s.fresh();
    const client = await s.open();
    await s.publish(client, name, 1, 4);
    const log = await s.listen(client, name, { rewind });
    await s.publish(client, name, 5, 5);
    await s.has(log, expected.length + 1);
    expect(log.data).toEqual([...expected, 5]);
  });

  it('rewinds no further than history', async () => {
    const name = s.fresh('short');
    const client = await s.open();
    await s.publish(client, name, 1, 4);
    const log = await s.listen(client, name, { rewind: 10 });
    await s.has(log, 2);
    expect(log.data).toEqual([3, 4]);
    const bare = s.fresh('bare');
    await s.publish(client, bare, 1, 2);
    const raw = await s.raw({});
    const reply = await raw.ask('subscribe', { channel: bare, rewind: 5 });
    expect(reply.offset).toBe(reply.top);
  });

  it('leaves out what a client publishes itself, and moves its cursor', async () => {
    const name = s.fresh();
    const [ann, bob] = [await s.open(), await s.open()];
    const log = await s.listen(ann, name, { own: false });
    await s.publish(ann, name, 1, 2);
    await s.publish(bob, name, 3, 3);
    await s.publish(ann, name, 4, 4);
    await s.has(log, 1);
    await s.until('the cursor has moved', () => log.channel.cursor?.offset === 4);
    expect(log.data).toEqual([3]);
    expect(log.gaps).toEqual([]);
  });

  it('filters by tags: each tag named, one of its values', async () => {
    const name = s.fresh();
    const client = await s.open();
    const filter = { lang: ['en', 'de'], team: ['red'] };
    const log = await s.listen(client, name, { filter });
    const tags: Record<string, string>[] = [
      { lang: 'en', team: 'red' },
      { lang: 'fr', team: 'red' },
      { lang: 'de' },
      { lang: 'de', team: 'red', more: 'x' },
      {},
    ];
    for (const [i, of] of tags.entries()) {
      await s.done(client.channel(name).publish(i, { tags: of }));
    }
    await s.until('the cursor has moved', () => log.channel.cursor?.offset === 5);
    expect(log.data).toEqual([0, 3]);
    expect(log.gaps).toEqual([]);
  });

  it('tells of what it left out before the next message', async () => {
    const name = s.fresh();
    const raw = await s.raw({});
    await raw.ask('subscribe', { channel: name, filter: { team: ['red'] } });
    await raw.ask('publish', { channel: name, data: 1, tags: { team: 'blue' } });
    await raw.ask('publish', { channel: name, data: 2, tags: { team: 'red' } });
    expect(await raw.next()).toEqual({ type: 'advance', channel: name, offset: 1 });
    expect(await raw.next()).toMatchObject({ type: 'message', offset: 2 });
  });

  it('delivers by pattern, in the order of each channel', async () => {
    const name = s.fresh();
    const client = await s.open();
    const seen: unknown[] = [];
    let there = false;
    const listening = pattern(client, `${name}:?`);
    listening.on('subscribed', () => {
      there = true;
    });
    listening.subscribe(({ channel, data }) => seen.push([channel, data]));
    await s.until('the subscription', () => there);
    for (const part of ['a', 'bb', 'c', 'a']) {
      await s.done(client.channel(`${name}:${part}`).publish(part));
    }
    await s.until('the messages', () => seen.length >= 3);
    expect(seen).toEqual([
      [`${name}:a`, 'a'],
      [`${name}:c`, 'c'],
      [`${name}:a`, 'a'],
    ]);
  });

  it('sends once what several patterns take, and leaves it to a subscription by name', async () => {
    const name = s.fresh();
    const raw = await s.raw({});
    await raw.ask('subscribe', { pattern: `${name}:*` });
    await raw.ask('subscribe', { pattern: `*${name.slice(4)}:a` });
    await raw.ask('publish', { channel: `${name}:a`, data: 1 });
    expect(await raw.next()).toMatchObject({ data: 1 });
    await raw.ask('subscribe', { channel: `${name}:a`, filter: { never: ['x'] } });
    await raw.ask('publish', { channel: `${name}:a`, data: 2 });
    await raw.ask('publish', { channel: `${name}:b`, data: 3 });
    const pushes = [await raw.next()];
    if (pushes[0]?.type === 'advance') pushes.push(await raw.next());
    expect(pushes.at(-1)).toMatchObject({ channel: `${name}:b`, data: 3 });
  });

  it('names patterns in their shortest form', async () => {
    const raw = await s.raw({});
    const reply = await raw.ask('subscribe', { pattern: 'open:x*?**' });
    expect(reply.pattern).toBe('open:x?*');
    expect(reply.epoch).toBeUndefined();
    expect(await raw.code('subscribe', { pattern: 'open:x?*' })).toBe('already_subscribed');
    expect(await raw.code('unsubscribe', { pattern: 'open:x*?' })).toBe('ok');
    expect(await raw.code('unsubscribe', { pattern: 'open:x*?' })).toBe('not_subscribed');
  });

  it('refuses with a pattern what only a channel has', async () => {
    const raw = await s.raw({});
    const since = { epoch: 'x', offset: 1 };
    for (const more of [{ since }, { rewind: 1 }, { presence: true }, { occupancy: true }]) {
      expect(await raw.code('subscribe', { pattern: 'open:*', ...more })).toBe('bad_message');
    }
  });

  it('tells how many listen, and who is there', async () => {
    const name = s.fresh();
    const watcher = await s.raw({});
    await watcher.ask('subscribe', { channel: name, occupancy: true });
    const first = { type: 'occupancy', channel: name, subscribers: 1, count: 0, users: 0 };
    expect(await watcher.next()).toEqual(first);
    const other = await s.raw({});
    await other.ask('subscribe', { channel: name });
    const { id: _, ...asked } = await other.ask('occupancy', { channel: name });
    expect(asked).toEqual({ ...first, subscribers: 2 });
    expect(await watcher.next()).toEqual({ ...first, subscribers: 2 });
    const info = (n: number) => other.code('enter', { channel: name, info: { n } });
    expect(await info(1)).toBe('ok');
    expect(await watcher.next()).toEqual({ ...first, subscribers: 2, count: 1 });
    // Nobody comes or goes, so there is nothing to tell.
    expect(await info(2)).toBe('ok');
    expect(await other.code('leave', { channel: name })).toBe('ok');
    expect(await watcher.next()).toEqual({ ...first, subscribers: 2 });
    other.leave();
    expect(await watcher.next()).toEqual(first);
    const quiet = s.fresh('short');
    expect(await watcher.code('occupancy', { channel: quiet })).toBe('no_occupancy');
    expect(await watcher.code('subscribe', { channel: quiet, occupancy: true })).toBe(
      'no_occupancy',
    );
  });

  it('rewinds through a filter', async () => {
    const name = s.fresh();
    const raw = await s.raw({});
    for (let i = 1; i <= 6; i++) {
      await raw.ask('publish', { channel: name, data: i, tags: { odd: `${i % 2}` } });
    }
    const client = await s.open();
    const log = await s.listen(client, name, { rewind: 4, filter: { odd: ['1'] } });
    await s.until('the cursor', () => log.channel.cursor?.offset === 6);
    expect(log.data).toEqual([3, 5]);
  });

  it('filters and leaves out one’s own by pattern, too', async () => {
    const name = s.fresh();
    const raw = await s.raw({});
    const other = await s.raw({});
    const filter = { team: ['red'] };
    await raw.ask('subscribe', { pattern: `${name}:*`, own: false, filter });
    const red = { tags: { team: 'red' } };
    await raw.ask('publish', { channel: `${name}:a`, data: 'mine', ...red });
    await other.ask('publish', { channel: `${name}:a`, data: 'blue', tags: { team: 'blue' } });
    await other.ask('publish', { channel: `${name}:b`, data: 'red', ...red });
    expect(await raw.next()).toMatchObject({ channel: `${name}:b`, data: 'red' });
    await raw.ask('ping');
    expect(raw.pushes).toEqual([]);
  });

  it('takes by pattern again what is not subscribed to by its name any more', async () => {
    const name = s.fresh();
    const raw = await s.raw({});
    await raw.ask('subscribe', { pattern: `${name}*` });
    await raw.ask('subscribe', { channel: name, own: false });
    await raw.ask('publish', { channel: name, data: 1 });
    await raw.ask('unsubscribe', { channel: name });
    await raw.ask('publish', { channel: name, data: 2 });
    let push = await raw.next();
    if (push.type === 'advance') push = await raw.next();
    expect(push).toMatchObject({ type: 'message', data: 2 });
  });

  it('takes the channels of another token, and keeps those there are', async () => {
    const [kept, fresh] = [s.fresh(), s.fresh('own')];
    const raw = await s.raw({ token: s.token({ sub: 'ann', channels: [kept] }) });
    expect(await raw.next()).toMatchObject({ type: 'subscribed', channel: kept });
    const token = s.token({ sub: 'ann', channels: [kept, fresh] });
    expect(await raw.code('auth', { token })).toBe('ok');
    expect(await raw.next()).toMatchObject({ type: 'subscribed', channel: fresh });
    await raw.ask('ping');
    expect(raw.pushes).toEqual([]);
    expect(await raw.code('auth', { token: s.token({ sub: 'ann' }) })).toBe('ok');
    expect(await raw.next()).toMatchObject({
      type: 'unsubscribed',
      channel: fresh,
      code: 'forbidden',
    });
    await raw.ask('publish', { channel: kept, data: 1 });
    expect(await raw.next()).toMatchObject({ channel: kept, data: 1 });
  });
}
