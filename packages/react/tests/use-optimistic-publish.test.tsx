import { act, render } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';
import { define } from '../../client/src/contract';
import { AnywireProvider, useOptimisticPublish } from '../src/index';
import { hold, own, published, refuse, rows, say } from './optimistic';
import { cut, makeClient, pass, probe, publish, server, settle, start } from './realtime';
import { textSchema } from './schema';

describe('useOptimisticPublish', () => {
  it('is history, as long as nothing is published', async () => {
    for (let i = 0; i < 80; i++) server.publish('room', { data: i });
    const p = probe(() => useOptimisticPublish('room'));
    await settle();
    expect(p.result).toMatchObject({ hasOlder: true, atLive: true, status: 'live', gaps: [] });
    expect(p.result.messages).toHaveLength(50);
    await act(async () => void p.result.fetchOlder());
    await settle();
    expect(p.result.messages).toHaveLength(80);
    expect(p.result.hasOlder).toBe(false);
  });

  it('shows the message at once, pending, behind what is there', async () => {
    server.greeting = { user: 'ann' };
    const p = probe(() => useOptimisticPublish('room'));
    await settle();
    await publish('room', 'before');
    hold('publish');
    say(p, { text: 'hello' }, { event: 'chat', tags: { lang: 'en' } });
    expect(rows(p.result)).toEqual(['before', [{ text: 'hello' }, 'pending']]);
    expect(own(p.result)).toMatchObject({
      channel: 'room',
      epoch: undefined,
      offset: Number.POSITIVE_INFINITY,
      time: Date.now(),
      kind: 'json',
      event: 'chat',
      tags: { lang: 'en' },
      client: 'c1',
      user: 'ann',
      id: expect.stringMatching(/^[0-9a-f]{24}$/),
    });
  });

  it('keeps the key of a row when the server confirms it, and gives every other its own', async () => {
    const p = probe(() => useOptimisticPublish('room'));
    await settle();
    await publish('room', 'without an id');
    say(p, 'mine');
    const { key, id } = own(p.result);
    expect(key).toBe(id);
    await settle();
    // Somebody repeats our id, to confuse the list.
    server.publish('room', { data: 'copy', id });
    await settle();
    expect(p.result.messages.map(({ data, key }) => [data, key])).toEqual([
      ['without an id', 'e1:1'],
      ['mine', key],
      ['copy', 'e1:3'],
    ]);
  });

  it('gives the same object for the same message, so that rows may be memoized', async () => {
    const p = probe(() => useOptimisticPublish('room'));
    await settle();
    await publish('room', 'one');
    const [before] = p.result.messages;
    await publish('room', 'two');
    expect(p.result.messages[0]).toBe(before);
  });

  it('puts the message of the server in its place, under the same id, without flicker', async () => {
    const p = probe(() => useOptimisticPublish('room'));
    await settle();
    say(p, 'hello');
    const { id } = own(p.result);
    const renders = p.renders();
    await settle();
    expect(rows(p.result)).toEqual(['hello']);
    expect(own(p.result)).toMatchObject({ id, offset: 1, epoch: 'e1', time: 1001 });
    expect(published()).toMatchObject([{ messageId: id, idempotencyKey: id, text: 'hello' }]);
    for (const result of p.results.slice(renders - 1)) {
      expect(result.messages.map((message) => message.id)).toEqual([id]);
    }
  });

  it('keeps the DOM node of the message, as its key stays', async () => {
    let say = (_: string) => {};
    const Room = () => {
      const { messages, publish } = useOptimisticPublish<string>('room');
      say = (text) => void publish(text);
      return (
        <ul>
          {messages.map(({ id, offset, data, pending }) => (
            <li key={id ?? offset}>{pending ? `${data}…` : data}</li>
          ))}
        </ul>
      );
    };
    const { container } = render(
      <AnywireProvider client={makeClient()}>
        <Room />
      </AnywireProvider>,
    );
    await settle();
    act(() => say('hello'));
    const item = container.querySelector('li');
    expect(item?.textContent).toBe('hello…');
    await settle();
    expect(container.querySelector('li')).toBe(item);
    expect(item?.textContent).toBe('hello');
  });

  it('keeps the order of several, whatever is published by others meanwhile', async () => {
    const p = probe(() => useOptimisticPublish('room'));
    await settle();
    const { release } = hold('publish');
    say(p, 'a');
    say(p, 'b');
    await settle();
    await publish('room', 'x');
    expect(rows(p.result)).toEqual(['x', ['a', 'pending'], ['b', 'pending']]);
    await release();
    await settle();
    expect(rows(p.result)).toEqual(['x', 'a', ['b', 'pending']]);
    await release();
    await settle();
    expect(rows(p.result)).toEqual(['x', 'a', 'b']);
  });

  it('is not pending once the server has it, even before it comes back', async () => {
    const p = probe(() => useOptimisticPublish('room'));
    await settle();
    server.script = (conn, { type, id }) => {
      if (type !== 'publish') return false;
      conn.say({ type: 'published', id, epoch: 'e1', offset: 1 });
      return true;
    };
    say(p, 'hello');
    await settle();
    expect(own(p.result)).toMatchObject({ epoch: 'e1', offset: 1 });
    expect(rows(p.result)).toEqual(['hello']);
    expect(own(p.result)).not.toHaveProperty('pending');
    await act(async () =>
      server.publish('room', { text: 'hello', id: own(p.result).id as string }),
    );
    await settle();
    expect(rows(p.result)).toEqual(['hello']);
  });

  it('resolves with the position, and rejects with what is on the message', async () => {
    const p = probe(() => useOptimisticPublish('room'));
    await settle();
    const good = start(() => p.result.publish('good'));
    await settle();
    await expect(good).resolves.toMatchObject({ offset: 1 });
    refuse('forbidden');
    let rejected: unknown;
    act(() => void p.result.publish('bad').catch((error: unknown) => (rejected = error)));
    await settle();
    expect(rejected).toBe(own(p.result).failed);
  });

  it('takes an id of the application, which then is the key, too', async () => {
    const p = probe(() => useOptimisticPublish('room'));
    await settle();
    say(p, 'a', { messageId: 'mine' });
    say(p, 'b', { idempotencyKey: 'key' });
    say(p, 'c', { messageId: 'id', idempotencyKey: 'other' });
    await settle();
    expect(published().map(({ messageId, idempotencyKey }) => [messageId, idempotencyKey])).toEqual(
      [
        ['mine', 'mine'],
        ['key', 'key'],
        ['id', 'other'],
      ],
    );
    expect(rows(p.result)).toEqual(['a', 'b', 'c']);
  });

  it('knows text, bytes and values apart', async () => {
    const p = probe(() => useOptimisticPublish('room'));
    await settle();
    hold('publish');
    say(p, 'text');
    say(p, new Uint8Array([1]));
    say(p, { a: 1 });
    expect(p.result.messages.map(({ kind }) => kind)).toEqual(['text', 'binary', 'json']);
  });

  it('makes ids where the page has no crypto', async () => {
    vi.stubGlobal('crypto', undefined);
    const p = probe(() => useOptimisticPublish('room'));
    await settle();
    say(p, 'hello');
    expect(own(p.result).id).toMatch(/^[0-9a-f]{24}$/);
    await settle();
    expect(rows(p.result)).toEqual(['hello']);
  });

  it('keeps what is on its way apart from another channel', async () => {
    const use = (name: string) => () => useOptimisticPublish(name);
    const p = probe(use('room'));
    await settle();
    const { release } = hold('publish');
    say(p, 'for the room');
    await settle();
    p.rerender(use('hall'));
    expect(p.result.messages).toEqual([]);
    await release();
    await settle();
    expect(p.result.messages).toEqual([]);
    expect(server.published).toMatchObject([{ channel: 'room', text: 'for the room' }]);
  });

  it('goes to the newest messages when something is said in the middle of history', async () => {
    for (let i = 1; i <= 30; i++) server.publish('room', { data: i });
    const p = probe(() => useOptimisticPublish('room', { limit: 15, pageSize: 10 }));
    await settle();
    await act(async () => void p.result.fetchOlder());
    await settle();
    expect(p.result.atLive).toBe(false);
    say(p, 'here I am');
    await settle();
    expect(p.result.atLive).toBe(true);
    expect(rows(p.result).slice(-2)).toEqual([30, 'here I am']);
    expect(own(p.result).offset).toBe(31);
  });

  it('publishes once in StrictMode', async () => {
    const p = probe(() => useOptimisticPublish('room'), { strict: true });
    await settle();
    say(p, 'once');
    await settle();
    expect(published()).toHaveLength(1);
    expect(rows(p.result)).toEqual(['once']);
  });
});

describe('a break', () => {
  it('does not lose or double what is pending', async () => {
    const p = probe(() => useOptimisticPublish('room'));
    await settle();
    server.sockets = 'hang';
    await cut();
    say(p, 'a');
    say(p, 'b');
    await pass(500);
    expect(rows(p.result)).toEqual([
      ['a', 'pending'],
      ['b', 'pending'],
    ]);
    server.sockets = 'serve';
    await pass(30_000);
    expect(rows(p.result)).toEqual(['a', 'b']);
    expect(server.published).toHaveLength(2);
  });

  it('in which the message was lost to the list takes it off, and a gap is shown', async () => {
    const p = probe(() => useOptimisticPublish('room'));
    await settle();
    await publish('room', 'before');
    server.script = (conn, { type, id }) => {
      if (type !== 'publish') return false;
      conn.say({ type: 'published', id, epoch: 'e1', offset: 2 });
      return true;
    };
    say(p, 'mine');
    await settle();
    expect(rows(p.result)).toEqual(['before', 'mine']);
    await cut();
    Object.assign(server.channel('room'), { top: 9, messages: [] });
    await pass(1000);
    await publish('room', 'after');
    expect(rows(p.result)).toEqual(['before', 'after']);
    expect(p.result.gaps).toMatchObject([{ index: 1, from: 2, to: 9 }]);
  });

  it('after which the stream began anew takes off what was confirmed in the old one', async () => {
    const p = probe(() => useOptimisticPublish('room'));
    await settle();
    await publish('room', 'before');
    server.script = (conn, { type, id }) => {
      if (type !== 'publish') return false;
      conn.say({ type: 'published', id, epoch: 'e1', offset: 2 });
      return true;
    };
    say(p, 'mine');
    await settle();
    await cut();
    Object.assign(server.channel('room'), { epoch: 'e2', top: 0, messages: [] });
    await pass(1000);
    await publish('room', 'anew');
    expect(rows(p.result)).toEqual(['before', 'anew']);
  });
});

describe('a contract', () => {
  const upper = {
    '~standard': {
      ...textSchema['~standard'],
      validate: (value: unknown) => {
        const result = textSchema['~standard'].validate(value);
        return 'value' in result && result.value
          ? { value: { text: result.value.text.toUpperCase() } }
          : result;
      },
    },
  };
  const rt = define({ channels: { 'room:{id}': { message: upper } } });

  it('shows the pending message as it will come back', async () => {
    const p = probe(() => useOptimisticPublish(rt.channel('room:1')));
    await settle();
    act(() => void p.result.publish({ text: 'hello' }));
    expect(p.result.messages).toMatchObject([{ data: { text: 'HELLO' }, pending: true }]);
    await settle();
    expect(p.result.messages).toMatchObject([{ data: { text: 'HELLO' }, offset: 1 }]);
    expect(server.published).toMatchObject([{ data: { text: 'hello' } }]);
  });

  it('shows nothing of what it does not allow, but the error', async () => {
    const p = probe(() => useOptimisticPublish(rt.channel('room:1')));
    await settle();
    let rejected: unknown;
    act(
      () =>
        void p.result.publish({ text: 7 } as never).catch((error: unknown) => (rejected = error)),
    );
    await settle();
    expect(rejected).toMatchObject({ code: 'schema' });
    expect(p.result).toMatchObject({ messages: [], error: { code: 'schema' } });
    expect(published()).toEqual([]);
  });
});
