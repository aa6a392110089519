import { history } from '@anywire/client';
import { expect, it } from 'vitest';
import type { Stage } from './stage';

export function recovery(s: Stage): void {
  it('brings back what was missed, in order and once', async () => {
    const name = s.fresh();
    const [ann, bob] = [await s.open(), await s.open()];
    const log = await s.listen(ann, name);
    await s.publish(bob, name, 1, 3);
    await s.has(log, 3);
    s.cut(ann, true);
    await s.publish(bob, name, 4, 50);
    await s.back(ann);
    await s.publish(bob, name, 51, 55);
    await s.has(log, 55);
    expect(log.data).toEqual(Array.from({ length: 55 }, (_, i) => i + 1));
    expect(log.gaps).toEqual([]);
    expect(log.subscribed.map(({ recovered }) => recovered)).toEqual([undefined, true]);
  });

  it('recovers to nothing when nothing was missed', async () => {
    const name = s.fresh();
    const client = await s.open();
    const log = await s.listen(client, name);
    await s.publish(client, name, 1, 1);
    await s.has(log, 1);
    s.cut(client);
    await s.until('it is back', () => log.subscribed.length === 2);
    expect(log.subscribed[1]).toMatchObject({ recovered: true, position: { offset: 1 } });
    await s.publish(client, name, 2, 2);
    await s.has(log, 2);
    expect(log.data).toEqual([1, 2]);
  });

  it('tells what history has no more, and goes on with the rest', async () => {
    const name = s.fresh('short');
    const [ann, bob] = [await s.open(), await s.open()];
    const log = await s.listen(ann, name);
    await s.publish(bob, name, 1, 1);
    await s.has(log, 1);
    s.cut(ann, true);
    await s.publish(bob, name, 2, 6);
    await s.back(ann);
    await s.has(log, 3);
    expect(log.data).toEqual([1, 5, 6]);
    expect(log.gaps).toMatchObject([
      { from: 2, to: 4, reason: 'evicted', position: { offset: 4 } },
    ]);
    expect(log.subscribed[1]?.recovered).toBe(false);
  });

  it('loses all that was missed in a channel without history', async () => {
    const name = s.fresh('bare');
    const [ann, bob] = [await s.open(), await s.open()];
    const log = await s.listen(ann, name);
    const stay = await s.listen(bob, name);
    await s.publish(bob, name, 1, 1);
    await s.has(log, 1);
    s.cut(ann, true);
    await s.publish(bob, name, 2, 4);
    await s.has(stay, 4);
    await s.back(ann);
    await s.until('the gap', () => log.gaps.length > 0);
    expect(log.gaps).toMatchObject([{ from: 2, to: 4, reason: 'evicted' }]);
    await s.publish(bob, name, 5, 5);
    await s.has(log, 2);
    expect(log.data).toEqual([1, 5]);
  });

  it('answers each kind of cursor as the protocol says', async () => {
    const name = s.fresh('short');
    const writer = await s.raw({});
    for (let i = 1; i <= 5; i++) await writer.ask('publish', { channel: name, data: i });
    const { epoch } = await writer.ask('history', { channel: name });
    const old = 'f'.repeat(16);
    const cases: [object, object, number[]][] = [
      [{ epoch, offset: 5 }, { recovered: true, offset: 5 }, []],
      [{ epoch, offset: 3 }, { recovered: true, offset: 3 }, [4, 5]],
      [
        { epoch, offset: 1 },
        { recovered: false, offset: 3, gap: { from: 2, to: 3, reason: 'evicted' } },
        [4, 5],
      ],
      [
        { epoch, offset: 9 },
        { recovered: false, offset: 5, gap: { from: 10, to: 0, reason: 'epoch' } },
        [],
      ],
      [
        { epoch: old, offset: 7 },
        { recovered: false, offset: 3, gap: { from: 8, to: 0, reason: 'epoch' } },
        [4, 5],
      ],
      [
        { epoch: 'not an epoch', offset: 0 },
        { recovered: false, offset: 3, gap: { from: 1, to: 0, reason: 'epoch' } },
        [4, 5],
      ],
    ];
    for (const [since, expected, data] of cases) {
      const raw = await s.raw({});
      const reply = await raw.ask('subscribe', { channel: name, since });
      expect(reply).toMatchObject({ type: 'subscribed', top: 5, epoch, ...expected });
      if (reply.recovered) expect(reply.gap).toBeUndefined();
      for (const value of data) expect((await raw.next()).data).toBe(value);
      await raw.ask('ping');
      expect(raw.pushes).toEqual([]);
    }
  });

  it('says that the stream began anew after a restart', async () => {
    const name = s.fresh();
    const [ann, bob] = [await s.open(), await s.open()];
    const log = await s.listen(ann, name);
    await s.publish(bob, name, 1, 3);
    await s.has(log, 3);
    await s.world.restart();
    await s.until('it is back', () => log.subscribed.length === 2);
    await s.is(bob, 'open');
    await s.publish(bob, name, 4, 4);
    await s.has(log, 4);
    expect(log.gaps).toMatchObject([{ from: 4, to: 0, reason: 'epoch' }]);
    expect(log.messages.at(-1)).toMatchObject({ data: 4, offset: 1 });
    expect(log.messages.at(-1)?.epoch).not.toBe(log.messages[0]?.epoch);
  });

  it('forgets keys with the messages in a restart', async () => {
    const name = s.fresh();
    const client = await s.open();
    const options = { idempotencyKey: 'k' };
    const before = await s.done(client.channel(name).publish(1, options));
    await s.world.restart();
    const after = await s.done(client.channel(name).publish(1, options));
    expect(after).toMatchObject({ offset: 1, duplicate: false });
    expect(after.epoch).not.toBe(before.epoch);
  });

  it('begins behind a page of history without a hole', async () => {
    const name = s.fresh();
    const client = await s.open();
    await s.publish(client, name, 1, 5);
    const page = await s.done(history(client.channel(name), { order: 'backward', limit: 2 }));
    await s.publish(client, name, 6, 7);
    const { epoch, top: offset } = page;
    const log = await s.listen(client, name, {}, { since: { epoch, offset } });
    await s.publish(client, name, 8, 8);
    await s.has(log, 3);
    expect(log.data).toEqual([6, 7, 8]);
  });

  it('recovers what a filter lets through, and nothing that is one’s own', async () => {
    const name = s.fresh();
    const [ann, bob] = [await s.open(), await s.open()];
    const log = await s.listen(ann, name, { own: false, filter: { team: ['red'] } });
    const red = { tags: { team: 'red' } };
    await s.done(ann.channel(name).publish('mine', red));
    s.cut(ann, true);
    await s.done(bob.channel(name).publish('one', red));
    await s.done(bob.channel(name).publish('no', { tags: { team: 'blue' } }));
    await s.done(bob.channel(name).publish('two', red));
    await s.back(ann);
    await s.has(log, 2);
    await s.until('the cursor', () => log.channel.cursor?.offset === 4);
    expect(log.data).toEqual(['one', 'two']);
    expect(log.gaps).toEqual([]);
  });

  it('recovers many channels in one frame with connect', async () => {
    const names = Array.from({ length: 20 }, () => s.fresh());
    const [ann, bob] = [await s.open(), await s.open()];
    const logs = [];
    for (const name of names) logs.push(await s.listen(ann, name));
    s.cut(ann, true);
    for (const name of names) await s.done(bob.channel(name).publish(name));
    await s.back(ann);
    for (const [i, log] of logs.entries()) {
      await s.has(log, 1);
      expect(log.data).toEqual([names[i]]);
    }
  });
}
