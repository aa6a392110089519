import * as v from 'valibot';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { define } from '../../src/contract';
import {
  type AnywireError,
  type ChannelRef,
  history,
  inspect,
  type Message,
  type PresenceSnapshot,
  presence,
  rpc,
} from '../../src/index';
import { opened, type Realtime } from '../support/realtime';

const rt = define({
  channels: {
    'room:{id}': {
      message: v.object({ text: v.string() }),
      presence: v.object({ name: v.string() }),
      events: { typing: v.object({ on: v.boolean() }), at: z.coerce.date() },
    },
    'room:plain': {},
  },
  rpc: {
    echo: { input: v.pipe(v.string(), v.transform(Number)), output: v.array(v.unknown()) },
    wrong: { output: v.string() },
  },
});
const room = rt.channel('room:{id}', { id: 1 });

/** A listener of `room:1` by contract, and one of whatever comes. */
async function listening() {
  const r = await opened();
  const checked: { event: string | undefined; data: unknown }[] = [];
  const all: Message[] = [];
  const errors: AnywireError[] = [];
  const channel = r.client.channel(room);
  channel.subscribe(({ event, data }) => checked.push({ event, data }));
  channel.on('error', (error) => errors.push(error));
  r.client.channel('room:1').subscribe((message) => all.push(message));
  await r.settle();
  return { ...r, channel, checked, all, errors };
}
const sent = (r: Realtime): unknown[] => r.server.last.of('publish').map(({ data }) => data);

describe('what arrives in a channel of a contract', () => {
  it('is what the schemas make of it', async () => {
    const r = await listening();
    r.server.publish('room:1', { data: { text: 'hi', more: 1 } });
    r.server.publish('room:1', { data: { on: true }, event: 'typing' });
    r.server.publish('room:1', { data: 0, event: 'at' });
    await r.settle();
    expect(r.checked).toEqual([
      { event: undefined, data: { text: 'hi' } },
      { event: 'typing', data: { on: true } },
      { event: 'at', data: new Date(0) },
    ]);
    expect(r.errors).toEqual([]);
  });

  it.each([
    [{ data: { text: 1 } }],
    [{ data: null }],
    [{ text: 'just text' }],
    [{ data: { text: 'a' }, event: 'typing' }],
    [{ data: { on: true } }],
    [{ data: { text: 'a' }, event: 'constructor' }],
    [{ data: 'no date', event: 'at' }],
  ])('is not delivered if it is %j, which is told, and the link lives', async (members) => {
    const r = await listening();
    r.server.publish('room:1', members);
    r.server.publish('room:1', { data: { text: 'next' } });
    await r.settle();
    expect(r.checked).toEqual([{ event: undefined, data: { text: 'next' } }]);
    expect(r.errors).toMatchObject([{ code: 'schema', channel: 'room:1', retry: false }]);
    expect(r.errors[0]?.issues?.length).toBeGreaterThan(0);
    expect(r.channel.dropped).toBe(1);
    // Others, who have no contract, get all; and nothing is asked for again.
    expect(r.all).toHaveLength(2);
    expect(r.client.snapshot).toMatchObject({ state: 'open', opens: 1 });
    expect(r.channel.cursor).toMatchObject({ offset: 2 });
    expect(r.server.last.of('subscribe')).toHaveLength(1);
  });

  it('is the same in a page of history', async () => {
    const r = await listening();
    r.server.publish('room:1', { data: { text: 'a' } });
    r.server.publish('room:1', { data: { text: 1 } });
    r.server.publish('room:1', { data: 1000, event: 'at' });
    await r.settle();
    const asked = history(r.client.channel(room)).then((page) => page);
    await r.settle();
    const page = await asked;
    expect(page.messages.map(({ data }) => data)).toEqual([{ text: 'a' }, new Date(1000)]);
    expect(page.top).toBe(3);
  });
});

describe('what is published in a channel of a contract', () => {
  it('goes out as it was given', async () => {
    const r = await listening();
    const data = { text: 'hi', more: 1 };
    const all = Promise.all([
      r.channel.publish(data),
      r.channel.publish({ on: true }, { event: 'typing' }),
    ]);
    await r.settle();
    await all;
    expect(sent(r)).toEqual([data, { on: true }]);
    expect(r.checked.map((message) => message.data)).toEqual([{ text: 'hi' }, { on: true }]);
  });

  it('is refused before anything is sent', async () => {
    const r = await listening();
    const loose = r.client.channel(room as unknown as ChannelRef);
    for (const [data, event] of [
      [{ text: 1 }],
      [undefined],
      [{ text: 'a' }, 'typing'],
      [{ on: 1 }, 'typing'],
      [{}, 'nothing'],
    ] as const) {
      const refused = loose.publish(data, event ? { event } : {});
      await expect(refused).rejects.toMatchObject({
        code: 'schema',
        channel: 'room:1',
        uncertain: false,
        retry: false,
      });
    }
    await r.settle();
    expect(sent(r)).toEqual([]);
    expect(r.client.queued).toBe(0);
  });
});

describe('presence in a channel of a contract', () => {
  it('is entered with what the schema takes', async () => {
    const r = await listening();
    const entered = presence(r.channel).enter({ name: 'Ann' });
    await r.settle();
    await entered;
    expect([...r.server.channel('room:1').members.values()]).toMatchObject([
      { info: { name: 'Ann' } },
    ]);
  });

  it('is refused before anything is sent', async () => {
    const r = await listening();
    const refused = presence(r.channel).enter({ name: 1 } as never);
    await expect(refused).rejects.toMatchObject({ code: 'schema', channel: 'room:1' });
    await r.settle();
    expect(r.server.last.of('enter')).toEqual([]);
  });
});

describe('a method of a contract', () => {
  it('takes and answers what the schemas say', async () => {
    const r = await opened();
    const answer = rpc(r.client, rt.rpc('echo'), '17');
    await r.settle();
    expectTypeOf(answer).resolves.toEqualTypeOf<unknown[]>();
    expect(await answer).toEqual(['echo', '17']);
  });

  it('refuses what it does not take before it is sent', async () => {
    const r = await opened();
    await expect(rpc(r.client, rt.rpc('echo'), 17 as never)).rejects.toMatchObject({
      code: 'schema',
    });
    await r.settle();
    expect(r.server.last.of('rpc')).toEqual([]);
  });

  it('refuses an answer that is none', async () => {
    const r = await opened();
    const refused = expect(rpc(r.client, rt.rpc('wrong'), 1)).rejects.toMatchObject({
      code: 'schema',
      message: expect.stringContaining('wrong'),
    });
    await r.settle();
    await refused;
  });
});

it('refs of one name are one channel, whatever made them', async () => {
  const r = await opened();
  const got: unknown[] = [];
  for (const ref of [rt.channel('room:1'), rt.channel('room:{id}', { id: '1' })]) {
    r.client.channel(ref).subscribe(({ data }) => got.push(data));
  }
  await r.settle();
  r.server.publish('room:1', { data: { text: 'a' } });
  await r.settle();
  expect(got).toEqual([{ text: 'a' }, { text: 'a' }]);
  expect(r.server.last.of('subscribe')).toHaveLength(1);
});

describe('a channel or method that the contract does not have', () => {
  const lost = rt.channel('rome:1' as 'room:1');

  it('is refused before anything is sent, with whatever is done', async () => {
    const r = await opened();
    const channel = r.client.channel(lost);
    const unknown = { code: 'unknown_channel', message: expect.stringContaining('rome:1') };
    expect(() => channel.subscribe(() => {})).toThrow(expect.objectContaining(unknown));
    expect(() => presence(channel).on('change', () => {})).toThrow(
      expect.objectContaining(unknown),
    );
    await expect(channel.publish({ text: 'hi' })).rejects.toMatchObject(unknown);
    await expect(presence(channel).enter()).rejects.toMatchObject(unknown);
    await expect(presence(channel).leave()).resolves.toBeUndefined();
    await expect(history(channel)).rejects.toMatchObject(unknown);
    await r.settle();
    for (const type of ['subscribe', 'publish', 'enter', 'leave', 'history']) {
      expect(r.server.last.of(type), type).toEqual([]);
    }
    expect(presence(channel).members).toEqual([]);
    expect(channel.cursor).toBeUndefined();
  });

  it('is heard of by who looks into the client', async () => {
    const r = await opened();
    const heard: string[] = [];
    inspect(r.client).on('error', ({ code }) => heard.push(code));
    expect(() => r.client.channel(lost).subscribe(() => {})).toThrow();
    expect(heard).toEqual(['unknown_channel']);
  });

  it('cannot be called', async () => {
    const r = await opened();
    const call = rpc(r.client, rt.rpc('sum' as 'echo'), 'x');
    await expect(call).rejects.toMatchObject({ code: 'unknown_rpc' });
    expect(r.server.last.of('rpc')).toEqual([]);
  });
});

describe('presence info of others', () => {
  /** Who watches `room:1` by contract, and what is told there. */
  async function watching() {
    const r = await opened();
    const channel = r.client.channel(room);
    const told: unknown[] = [];
    const errors: AnywireError[] = [];
    channel.on('error', (error) => errors.push(error));
    const present = presence(channel);
    present.on('join', (member) => told.push(['join', member]));
    present.on('update', (member, before) => told.push(['update', member, before]));
    present.on('leave', (member, reason) => told.push(['leave', member, reason]));
    const lists: PresenceSnapshot<{ name: string }>[] = [];
    present.on('change', (now) => lists.push(now));
    await r.settle();
    return { ...r, channel, present, told, errors, lists };
  }

  it('is what the schema makes of it', async () => {
    const r = await watching();
    r.server.presence('room:1', {
      join: [{ client: 'a', user: 'ann', info: { name: 'Ann', secret: 1 } }],
    });
    await r.settle();
    const ann = { client: 'a', user: 'ann', info: { name: 'Ann' } };
    expect(r.told).toEqual([['join', ann]]);
    expect(r.present.members).toEqual([ann]);
    expect(r.present.get('a')).toEqual(ann);
    expect(r.errors).toEqual([]);
  });

  it('that it refuses is left out and told once; the member is there', async () => {
    const r = await watching();
    r.server.presence('room:1', { join: [{ client: 'b', user: 'bob', info: { nick: 'Bob' } }] });
    r.server.presence('room:1', { join: [{ client: 'c', info: { name: 'Cid' } }] });
    await r.settle();
    expect(r.present.members).toEqual([
      { client: 'b', user: 'bob' },
      { client: 'c', info: { name: 'Cid' } },
    ]);
    expect(r.present.get('b')?.info).toBeUndefined();
    expect(r.present.snapshot.count).toBe(2);
    expect(r.errors).toMatchObject([
      { code: 'schema', channel: 'room:1', message: expect.stringMatching(/^presence\.name: /) },
    ]);
    expect(r.errors[0]?.issues).toHaveLength(1);
    expect(r.client.state).toBe('open');
  });

  it('is told to who looks into the client', async () => {
    const r = await watching();
    const heard: string[] = [];
    inspect(r.client).on('error', ({ code }) => heard.push(code));
    r.server.presence('room:1', { join: [{ client: 'b', info: 5 }] });
    await r.settle();
    expect(heard).toEqual(['schema']);
  });

  it('that is absent needs no schema', async () => {
    const r = await watching();
    r.server.presence('room:1', { join: [{ client: 'b' }] });
    await r.settle();
    expect(r.present.members).toEqual([{ client: 'b' }]);
    expect(r.errors).toEqual([]);
  });

  it('is the same object as long as it is the same', async () => {
    const r = await watching();
    r.server.presence('room:1', { join: [{ client: 'a', info: { name: 'Ann' } }] });
    await r.settle();
    const { snapshot } = r.present;
    expect(presence(r.channel)).toBe(r.present);
    expect(r.present.snapshot).toBe(snapshot);
    expect(r.lists.at(-1)).toBe(snapshot);
    expect(r.present.get('a')).toBe(snapshot.members[0]);
    expect(Object.isFrozen(snapshot) && Object.isFrozen(snapshot.members)).toBe(true);
    r.server.presence('room:1', { join: [{ client: 'c', info: { name: 'Cid' } }] });
    await r.settle();
    expect(r.present.snapshot.members[0]).toBe(snapshot.members[0]);
  });

  it('comes unchecked without a contract, also where another checks it', async () => {
    const r = await watching();
    const plain = presence(r.client.channel('room:1'));
    plain.on('change', () => {});
    r.server.presence('room:1', { join: [{ client: 'b', info: 5 }] });
    await r.settle();
    expect(plain.members).toEqual([{ client: 'b', info: 5 }]);
    expect(r.present.members).toEqual([{ client: 'b' }]);
  });

  it('of who leaves or updates is checked as well', async () => {
    const r = await watching();
    r.server.presence('room:1', { join: [{ client: 'b', info: { name: 'Bob', x: 1 } }] });
    await r.settle();
    r.server.presence('room:1', { join: [{ client: 'b', info: { name: 7 } }] });
    await r.settle();
    r.server.presence('room:1', { leave: [{ client: 'b', reason: 'left' }] });
    await r.settle();
    const bob = { client: 'b', info: { name: 'Bob' } };
    expect(r.told).toEqual([
      ['join', bob],
      ['update', { client: 'b' }, bob],
      ['leave', { client: 'b' }, 'left'],
    ]);
    expect(r.errors).toHaveLength(1);
  });
});
