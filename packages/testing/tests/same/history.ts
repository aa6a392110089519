import { history } from '@anywire/client';
import { expect, it } from 'vitest';
import type { Raw, Stage } from './stage';

const offsets = (page: Record<string, unknown>) =>
  (page.messages as { offset: number }[]).map(({ offset }) => offset);

export function paging(s: Stage): void {
  const filled = async (count: number, kind?: string): Promise<[Raw, string]> => {
    const name = s.fresh(kind);
    const raw = await s.raw({});
    for (let i = 1; i <= count; i++) await raw.ask('publish', { channel: name, data: i });
    return [raw, name];
  };

  it('pages forward from the oldest', async () => {
    const [raw, channel] = await filled(5);
    const first = await raw.ask('history', { channel, limit: 2 });
    expect(first).toMatchObject({ channel, top: 5, oldest: 1, more: true });
    expect(offsets(first)).toEqual([1, 2]);
    const { epoch } = first;
    const second = await raw.ask('history', { channel, epoch, after: 2, limit: 2 });
    expect([offsets(second), second.more]).toEqual([[3, 4], true]);
    const last = await raw.ask('history', { channel, epoch, after: 4, limit: 2 });
    expect([offsets(last), last.more]).toEqual([[5], false]);
  });

  it('pages backward from the newest', async () => {
    const [raw, channel] = await filled(5);
    const order = 'backward';
    const first = await raw.ask('history', { channel, order, limit: 3 });
    expect([offsets(first), first.more]).toEqual([[5, 4, 3], true]);
    const last = await raw.ask('history', { channel, order, limit: 3, before: 3 });
    expect([offsets(last), last.more]).toEqual([[2, 1], false]);
  });

  it.each([
    [{ after: 2, before: 5 }, [3, 4]],
    [{ after: 2, before: 5, order: 'backward' }, [4, 3]],
    [{ after: 5 }, [6]],
    [{ after: 6 }, []],
    [{ before: 1 }, []],
    [{ after: 99 }, []],
    [{ before: 99, limit: 1, order: 'backward' }, [6]],
    [{ after: 0 }, [1, 2, 3, 4, 5, 6]],
    [{ after: 4, before: 3 }, []],
  ])('answers %j', async (query, expected) => {
    const [raw, channel] = await filled(6);
    const page = await raw.ask('history', { channel, ...query });
    expect(offsets(page)).toEqual(expected);
    expect(page).toMatchObject({ top: 6, oldest: 1 });
  });

  it('says which is the oldest that is left', async () => {
    const [raw, channel] = await filled(5, 'short');
    const page = await raw.ask('history', { channel, after: 1 });
    expect(page).toMatchObject({ top: 5, oldest: 4, more: false });
    expect(offsets(page)).toEqual([4, 5]);
  });

  it('says of a channel without messages that the next is the oldest', async () => {
    const [raw, channel] = await filled(0);
    const page = await raw.ask('history', { channel });
    expect(page).toMatchObject({ top: 0, oldest: 1, more: false, messages: [] });
  });

  it('looks between two times, both inclusive', async () => {
    const name = s.fresh();
    const raw = await s.raw({});
    for (let i = 1; i <= 3; i++) {
      await raw.ask('publish', { channel: name, data: i });
      await s.world.pass(20);
    }
    const all = await raw.ask('history', { channel: name });
    const [one, two, three] = (all.messages as { time: number }[]).map(({ time }) => time);
    const ask = async (from?: number, to?: number) =>
      offsets(await raw.ask('history', { channel: name, from, to }));
    expect(await ask(two)).toEqual([2, 3]);
    expect(await ask(undefined, two)).toEqual([1, 2]);
    expect(await ask(two, two)).toEqual([2]);
    expect(await ask((three ?? 0) + 1)).toEqual([]);
    expect(await ask(undefined, (one ?? 0) - 1)).toEqual([]);
  });

  it('gives 100 where no limit is asked for, and 1000 at most', async () => {
    const [raw, channel] = await filled(0);
    const messages = Array.from({ length: 110 }, (_, data) => ({ type: 'publish', channel, data }));
    raw.send(...messages);
    const page = await raw.ask('history', { channel });
    expect([offsets(page).length, page.more]).toEqual([100, true]);
    expect(offsets(await raw.ask('history', { channel, limit: 1000 })).length).toBe(110);
    for (const limit of [0, 1001, -1, 1.5, '5']) {
      expect(await raw.code('history', { channel, limit })).toBe('bad_message');
    }
  });

  it('has everything that a message has', async () => {
    const name = s.fresh();
    const raw = await s.raw({ token: s.token({ sub: 'ann' }) });
    await raw.ask('subscribe', { channel: name });
    const members = { event: 'e', messageId: 'm', tags: { a: 'b' }, binary: 'AP+A' };
    await raw.ask('publish', { channel: name, ...members });
    const { type: _, channel: __, ...pushed } = await raw.next();
    const { messages } = await raw.ask('history', { channel: name });
    expect(messages).toEqual([pushed]);
    expect(pushed).toMatchObject({ event: 'e', id: 'm', tags: { a: 'b' }, user: 'ann' });
  });

  it('refuses the epoch of another stream', async () => {
    const [raw, channel] = await filled(1);
    const { code, retry } = await raw.ask('history', { channel, epoch: 'f'.repeat(16) });
    expect([code, retry]).toEqual(['epoch_changed', false]);
  });

  it('is read page by page, to the end, both ways', async () => {
    const name = s.fresh();
    const client = await s.open();
    await s.publish(client, name, 1, 7);
    for (const order of ['forward', 'backward'] as const) {
      const seen: unknown[] = [];
      const all = (async () => {
        for await (const { data } of history(client.channel(name), { order, limit: 2 })) {
          seen.push(data);
        }
      })();
      await s.done(all);
      const expected = [1, 2, 3, 4, 5, 6, 7];
      expect(seen).toEqual(order === 'forward' ? expected : expected.reverse());
    }
  });

  it('notices that the stream began anew between two pages', async () => {
    const name = s.fresh();
    const client = await s.open();
    await s.publish(client, name, 1, 4);
    const page = await s.done(history(client.channel(name), { limit: 2 }));
    await s.world.restart();
    await s.publish(client, name, 1, 4);
    expect(await s.refused(page.next())).toMatchObject({ code: 'epoch_changed' });
  });
}
