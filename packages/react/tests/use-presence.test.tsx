import { act, render } from '@testing-library/react';
import type { ReactNode } from 'react';
import * as React from 'react';
import { describe, expect, it } from 'vitest';
import { define } from '../../client/src/contract';
import type { AnywireError } from '../../client/src/index';
import { AnywireProvider, type PresenceState, usePresence } from '../src/index';
import { cut, makeClient, pass, probe, server, settle } from './realtime';
import { textSchema } from './schema';

const { Activity } = React as unknown as {
  Activity?: (props: { mode: 'visible' | 'hidden'; children: ReactNode }) => ReactNode;
};

interface Info {
  readonly name: string;
}
const commands = (type: string) => server.conns.flatMap((conn) => conn.of(type));
const join = (client: string, info: unknown = { name: client }) =>
  server.presence('room', { join: [{ client, info }] });
const leave = (client: string) => server.presence('room', { leave: [{ client, reason: 'left' }] });
/** Who is present at the server, as far as we are concerned. */
const present = () => [...server.channel('room').members.keys()];

const rt = define({ channels: { room: { presence: textSchema } } });

describe('usePresence of a channel with a contract', () => {
  it('shows a member without what the schema refuses, and says so', async () => {
    join('good', { text: 'hi', more: 1 });
    join('bad', { name: 'no text' });
    const p = probe(() => usePresence(rt.channel('room'), { text: 'me' }));
    await settle();
    expect(p.result.members).toHaveLength(3);
    expect(p.result.others).toEqual([{ client: 'good', info: { text: 'hi' } }, { client: 'bad' }]);
    expect(p.result.self).toMatchObject({ info: { text: 'me' } });
    expect(p.result).toMatchObject({ status: 'live', complete: true, count: 3 });
    expect(p.result.error).toMatchObject({
      code: 'schema',
      channel: 'room',
      message: 'presence.text: text must be a string',
      issues: [{ path: ['text'] }],
    });
  });

  it('goes on when such a member comes later, and keeps the others as they are', async () => {
    const p = probe(() => usePresence(rt.channel('room')));
    await settle();
    await act(async () => void join('good', { text: 'hi' }));
    await settle();
    const [good] = p.result.members;
    expect(p.result.error).toBeUndefined();
    await act(async () => void join('bad', 5));
    await settle();
    expect(p.result.members).toEqual([{ client: 'good', info: { text: 'hi' } }, { client: 'bad' }]);
    expect(p.result.members[0]).toBe(good);
    expect(p.result.error?.code).toBe('schema');
  });
});

describe('usePresence', () => {
  it('shows who is there, and how many', async () => {
    join('x1');
    join('x2');
    const p = probe(() => usePresence<Info>('room'));
    expect(p.result).toMatchObject({ members: [], count: 0, complete: false });
    await settle();
    expect(p.result).toMatchObject({
      status: 'live',
      complete: true,
      count: 2,
      users: 2,
      self: undefined,
      error: undefined,
    });
    expect(p.result.members.map(({ info }) => info?.name)).toEqual(['x1', 'x2']);
    expect(p.result.others).toEqual(p.result.members);
  });

  it('follows joins, changes and leaves', async () => {
    const p = probe(() => usePresence<Info>('room'));
    await settle();
    join('x1');
    await settle();
    expect(p.result.count).toBe(1);
    join('x1', { name: 'renamed' });
    await settle();
    expect(p.result.members[0]?.info).toEqual({ name: 'renamed' });
    leave('x1');
    await settle();
    expect(p.result).toMatchObject({ count: 0, members: [] });
  });

  it('does not enter unless told with what', async () => {
    const p = probe(() => [usePresence('room'), usePresence('room', null)]);
    await settle();
    expect(p.result[0]?.self).toBeUndefined();
    expect(commands('enter')).toEqual([]);
  });

  it('enters with me, and tells us from the others', async () => {
    join('x1');
    const p = probe(() => usePresence('room', { name: 'ann' }));
    await settle();
    await settle();
    expect(commands('enter')).toMatchObject([{ channel: 'room', info: { name: 'ann' } }]);
    expect(p.result.self).toEqual({ client: 'c1', info: { name: 'ann' } });
    expect(p.result.others.map(({ client }) => client)).toEqual(['x1']);
    expect(p.result.members).toHaveLength(2);
  });

  it('compares me by content, so a literal does not loop', async () => {
    const p = probe(() => usePresence('room', { name: 'ann', tags: ['a', { b: 1 }] }));
    await pass(1000);
    p.rerender(() => usePresence('room', { name: 'ann', tags: ['a', { b: 1 }] }));
    await pass(1000);
    expect(commands('enter')).toHaveLength(1);
    expect(p.renders()).toBeLessThan(8);
  });

  it('tells a change of me, without leaving in between', async () => {
    const use = (typing: boolean) => () => usePresence('room', { name: 'ann', typing });
    const p = probe(use(false));
    await settle();
    p.rerender(use(true));
    await pass(1000);
    expect(commands('enter').map(({ info }) => info)).toEqual([
      { name: 'ann', typing: false },
      { name: 'ann', typing: true },
    ]);
    expect(commands('leave')).toEqual([]);
    expect(p.result.self?.info).toEqual({ name: 'ann', typing: true });
  });

  it('leaves when me becomes null, and the list is still shown', async () => {
    const p = probe(() => usePresence<Info>('room', { name: 'ann' }));
    await settle();
    expect(present()).toEqual(['c1']);
    p.rerender(() => usePresence<Info>('room', null));
    await pass(1000);
    expect(present()).toEqual([]);
    expect(p.result).toMatchObject({ status: 'live', self: undefined, count: 0 });
    p.rerender(() => usePresence<Info>('room', { name: 'ann' }));
    await pass(1000);
    expect(p.result.self?.info).toEqual({ name: 'ann' });
  });

  it('updates on demand, until me changes', async () => {
    const use = (name: string) => () =>
      usePresence<{ name: string; at?: number }>('room', { name });
    const p = probe(use('ann'));
    await settle();
    const updated = p.result.update({ name: 'ann', at: 7 });
    await settle();
    await expect(updated).resolves.toBeUndefined();
    expect(p.result.self?.info).toEqual({ name: 'ann', at: 7 });
    p.rerender(use('ann'));
    await pass(500);
    expect(p.result.self?.info).toEqual({ name: 'ann', at: 7 });
    p.rerender(use('anna'));
    await pass(500);
    expect(p.result.self?.info).toEqual({ name: 'anna' });
  });

  it('enters by update where there was no me, until it is gone', async () => {
    const p = probe(() => usePresence<Info>('room'));
    await settle();
    void p.result.update({ name: 'late' });
    await settle();
    expect(p.result.self?.info).toEqual({ name: 'late' });
    p.unmount();
    await pass(1000);
    expect(present()).toEqual([]);
  });

  it('selects what matters, and renders for nothing else', async () => {
    const p = probe(() => usePresence('room', undefined, { select: ({ count }) => count }));
    await settle();
    join('x1');
    await settle();
    join('x1', { name: 'renamed' });
    await settle();
    expect(p.results).toEqual([0, 1]);
  });

  it('selects names of the others as an array, compared by its members', async () => {
    const p = probe(() =>
      usePresence<Info, (string | undefined)[]>('room', undefined, {
        select: ({ others }) => others.map(({ info }) => info?.name),
      }),
    );
    join('x1', { name: 'bob', typing: false });
    await settle();
    join('x1', { name: 'bob', typing: true });
    await settle();
    expect(p.results).toEqual([[], ['bob']]);
  });

  it('renders seldom when a crowd comes', async () => {
    const p = probe(() => usePresence('room'));
    await settle();
    const before = p.renders();
    for (let i = 0; i < 500; i++) join(`x${i}`);
    await pass(200);
    expect(p.result.count).toBe(500);
    expect(p.renders() - before).toBeLessThan(6);
  });

  it('knows the number where the list is too long to be sent', async () => {
    for (let i = 0; i < 5; i++) join(`x${i}`);
    server.large = true;
    const p = probe(() => usePresence('room'));
    await settle();
    expect(p.result).toMatchObject({ status: 'live', count: 5, complete: false });
  });
});

describe('our presence', () => {
  it('is one in StrictMode: entered once, never left, no double', async () => {
    const p = probe(() => usePresence('room', { name: 'ann' }), { strict: true });
    await pass(2000);
    expect(commands('enter')).toHaveLength(1);
    expect(commands('leave')).toHaveLength(0);
    expect(p.result.members).toHaveLength(1);
  });

  it('ends after the linger when the component is gone', async () => {
    const p = probe(() => usePresence('room', { name: 'ann' }));
    await settle();
    p.unmount();
    await pass(200);
    expect(present()).toEqual(['c1']);
    await pass(100);
    expect(present()).toEqual([]);
  });

  it('survives that another component takes over within the linger', async () => {
    const client = makeClient();
    const first = probe(() => usePresence('room', { name: 'ann' }), { client });
    await settle();
    first.unmount();
    await pass(100);
    const second = probe(() => usePresence('room', { name: 'ann' }), { client });
    await pass(1000);
    expect(commands('enter')).toHaveLength(1);
    expect(commands('leave')).toHaveLength(0);
    expect(second.result.self?.info).toEqual({ name: 'ann' });
  });

  it('lasts as long as any component wants it, with the info of whoever spoke last', async () => {
    const client = makeClient();
    const first = probe(() => usePresence('room', { name: 'first' }), { client });
    const second = probe(() => usePresence('room', { name: 'second' }), { client });
    await settle();
    await settle();
    expect(first.result.self?.info).toEqual({ name: 'second' });
    second.unmount();
    await pass(1000);
    expect(first.result.self?.info).toEqual({ name: 'first' });
    expect(commands('leave')).toHaveLength(0);
    first.unmount();
    await pass(1000);
    expect(present()).toEqual([]);
  });

  it('comes back after a break without a session', async () => {
    const p = probe(() => usePresence('room', { name: 'ann' }));
    await settle();
    server.sessions.clear();
    server.channel('room').members.clear();
    await cut();
    expect(p.result).toMatchObject({ status: 'waiting', complete: false });
    await pass(2000);
    expect(p.result).toMatchObject({ status: 'live', complete: true });
    expect(p.result.self).toMatchObject({ client: 'c3', info: { name: 'ann' } });
    expect(p.result.members).toHaveLength(1);
  });

  it('comes back when a closed client is opened again', async () => {
    const p = probe(() => usePresence('room', { name: 'ann' }));
    await settle();
    void p.client.close();
    await settle();
    expect(p.result).toMatchObject({ status: 'off', error: undefined });
    server.channel('room').members.clear();
    void p.client.connect();
    await pass(1000);
    expect(p.result.self?.info).toEqual({ name: 'ann' });
    expect(p.result).toMatchObject({ status: 'live', error: undefined });
  });

  it('moves to another channel', async () => {
    const use = (name: string | null) => () => usePresence(name, { name: 'ann' });
    const p = probe(use('room'));
    await settle();
    p.rerender(use('hall'));
    expect(p.result.members).toEqual([]);
    await pass(1000);
    expect(present()).toEqual([]);
    expect([...server.channel('hall').members.keys()]).toEqual(['c1']);
    p.rerender(use(null));
    expect(p.result).toMatchObject({ status: 'off', count: 0 });
    await pass(1000);
    expect([...server.channel('hall').members.keys()]).toEqual([]);
  });

  it('moves to another client', async () => {
    const first = makeClient();
    const second = makeClient();
    const p = probe(() => usePresence('room', { name: 'ann' }), { client: first });
    await settle();
    p.rerender(() => usePresence('room', { name: 'ann' }), second);
    await pass(1000);
    expect(present()).toEqual([second.snapshot.clientId]);
    expect(p.result.self?.client).toBe(second.snapshot.clientId);
  });
});

describe.skipIf(!Activity)('a hidden Activity', () => {
  const Shell = Activity as NonNullable<typeof Activity>;
  function stage(client = makeClient()) {
    const results: PresenceState<object>[] = [];
    const Who = () => {
      results.push(usePresence<object>('room', { name: 'ann' }));
      return null;
    };
    const page = (mode: 'visible' | 'hidden') => (
      <AnywireProvider client={client}>
        <Shell mode={mode}>
          <Who />
        </Shell>
      </AnywireProvider>
    );
    return { results, page };
  }

  it('for a moment is not noticed by the others', async () => {
    const { page } = stage();
    const { rerender } = render(page('visible'));
    await settle();
    rerender(page('hidden'));
    await pass(100);
    rerender(page('visible'));
    await pass(1000);
    expect(commands('enter')).toHaveLength(1);
    expect(commands('leave')).toHaveLength(0);
  });

  it('for long is an absence, and shown again we are back, also with an update', async () => {
    const { results, page } = stage();
    const { rerender } = render(page('visible'));
    await settle();
    void results.at(-1)?.update({ name: 'ann', away: true });
    await settle();
    rerender(page('hidden'));
    await pass(1000);
    expect(present()).toEqual([]);
    rerender(page('visible'));
    await pass(1000);
    expect(results.at(-1)?.self?.info).toEqual({ name: 'ann', away: true });
    expect(results.at(-1)?.members).toHaveLength(1);
  });

  it('shows what it knew last until it knows better', async () => {
    const { results, page } = stage();
    join('x1');
    const { rerender } = render(page('visible'));
    await settle();
    await settle();
    rerender(page('hidden'));
    await pass(1000);
    const before = results.length;
    rerender(page('visible'));
    for (const { others } of results.slice(before)) expect(others).toHaveLength(1);
    await pass(1000);
    expect(results.at(-1)).toMatchObject({ complete: true, count: 2 });
  });
});

describe('what goes wrong', () => {
  const refuse =
    (command: string, code: string, retry = false): NonNullable<typeof server.script> =>
    (conn, { type, id, channel }) => {
      if (type !== command) return false;
      conn.say({ type: 'error', id, channel, code, message: 'no', retry });
      return true;
    };

  it('a presence that may not be watched is refused', async () => {
    server.script = refuse('subscribe', 'forbidden');
    const p = probe(() => usePresence('room'));
    await settle();
    expect(p.result).toMatchObject({ status: 'refused', error: { code: 'forbidden' } });
    server.script = undefined;
    await cut();
    await pass(1000);
    expect(p.result).toMatchObject({ status: 'live', error: undefined });
  });

  it('an entry that is refused is an error, while the others are seen', async () => {
    join('x1');
    server.script = refuse('enter', 'too_large');
    const p = probe(() => usePresence('room', { name: 'much too long' }));
    await settle();
    await settle();
    expect(p.result).toMatchObject({ status: 'live', count: 1, error: { code: 'too_large' } });
    expect(p.result.self).toBeUndefined();
    await pass(60_000);
    expect(commands('enter')).toHaveLength(1);
  });

  it('an update that is refused rejects, and shows in error', async () => {
    const p = probe(() => usePresence<Info>('room', { name: 'ann' }));
    await settle();
    server.script = refuse('enter', 'too_large');
    const codes: string[] = [];
    p.result.update({ name: 'x' }).catch((error: AnywireError) => codes.push(error.code));
    void p.result.update({ name: 'nobody looks' });
    await settle();
    expect(codes).toEqual(['too_large']);
    expect(p.result.error?.code).toBe('too_large');
  });

  it('info that cannot be encoded is an error, told once', async () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    const p = probe(() => usePresence('room', circle));
    await settle();
    p.rerender(() => usePresence('room', circle));
    await settle();
    expect(p.result).toMatchObject({ status: 'live', error: { code: 'bad_data' } });
    expect(p.renders()).toBeLessThan(8);
  });

  it('being put out by the server is an error, while the others are seen', async () => {
    const p = probe(() => usePresence('room', { name: 'ann' }));
    await settle();
    leave('c1');
    server.last.say({ type: 'left', channel: 'room', code: 'forbidden', message: 'out' });
    await settle();
    expect(p.result).toMatchObject({ status: 'live', error: { code: 'forbidden' } });
    expect(p.result.self).toBeUndefined();
  });

  it('being put out ends when one updates with the same info again', async () => {
    const p = probe(() => usePresence<Info>('room', { name: 'ann' }));
    await settle();
    leave('c1');
    server.last.say({ type: 'left', channel: 'room', code: 'forbidden', message: 'out' });
    await settle();
    void p.result.update({ name: 'ann' });
    await settle();
    expect(p.result.self?.info).toEqual({ name: 'ann' });
  });

  it('an address that is none is a failure, not a crash', async () => {
    const client = makeClient({ url: 'nonsense:' });
    const p = probe(() => usePresence('room', { name: 'ann' }), { client });
    await settle();
    expect(p.result).toMatchObject({ status: 'failed', error: { code: 'bad_url' } });
  });

  it('without a channel an update is refused', async () => {
    const p = probe(() => usePresence<Info>(null, { name: 'ann' }));
    await expect(p.result.update({ name: 'x' })).rejects.toMatchObject({ code: 'no_channel' });
    void p.result.update({ name: 'nobody looks' });
    await settle();
    expect(p.result).toMatchObject({ status: 'off', error: { code: 'no_channel' } });
  });
});
