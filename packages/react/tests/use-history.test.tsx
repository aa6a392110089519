import { act, render } from '@testing-library/react';
import type { ReactNode } from 'react';
import * as React from 'react';
import { describe, expect, it } from 'vitest';
import type { Gap, Message } from '../../client/src/index';
import {
  AnywireProvider,
  HistoryBoundary,
  type HistoryState,
  type PreloadedHistory,
  useChannel,
  useHistory,
  useLatest,
} from '../src/index';
import { cut, makeClient, pass, probe, publish, server, settle } from './realtime';

const { Activity } = React as unknown as {
  Activity?: (props: { mode: 'visible' | 'hidden'; children: ReactNode }) => ReactNode;
};
const commands = (type: string) => server.conns.flatMap((conn) => conn.of(type));
const offsets = ({ messages }: HistoryState<Message>) => messages.map(({ offset }) => offset);
const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);
/** So many messages are there already. */
const before = (count: number) => {
  for (let i = 0; i < count; i++) server.publish('room', { data: i });
};
const run = async (work: () => Promise<void>) => {
  let done = false;
  await act(async () => void work().then(() => (done = true)));
  await settle();
  expect(done).toBe(true);
};

describe('useHistory', () => {
  it('begins with the newest page, and is live', async () => {
    before(120);
    const p = probe(() => useHistory('room'));
    expect(p.result).toMatchObject({ status: 'connecting', messages: [], hasOlder: false });
    await settle();
    expect(offsets(p.result)).toEqual(range(71, 120));
    expect(p.result).toMatchObject({
      status: 'live',
      hasOlder: true,
      isFetching: false,
      atLive: true,
      gaps: [],
      error: undefined,
    });
    await publish('room', 'new');
    expect(offsets(p.result)).toEqual(range(71, 121));
  });

  it('asks for nothing where nothing was ever published', async () => {
    const p = probe(() => useHistory('room'));
    await settle();
    expect(p.result).toMatchObject({ status: 'live', messages: [], hasOlder: false, atLive: true });
    expect(commands('history')).toEqual([]);
    await publish('room', 1);
    expect(offsets(p.result)).toEqual([1]);
  });

  it('pages back to the beginning, with live messages in between: none twice, no hole', async () => {
    before(25);
    const p = probe(() => useHistory('room', { pageSize: 10 }));
    await settle();
    let top = 25;
    for (let i = 0; i < 5; i++) {
      server.publish('room', { data: 'live' });
      top++;
      await run(() => p.result.fetchOlder());
      server.publish('room', { data: 'live' });
      top++;
    }
    await settle();
    expect(offsets(p.result)).toEqual(range(1, top));
    expect(p.result.hasOlder).toBe(false);
    const asked = commands('history').length;
    await run(() => p.result.fetchOlder());
    expect(commands('history')).toHaveLength(asked);
  });

  it('has messages that arrive before the first page behind it', async () => {
    before(5);
    server.script = (conn, message) => {
      if (message.type !== 'history') return false;
      // They were pushed while the page was on its way.
      server.script = undefined;
      server.publish('room', { data: 'while' });
      server.take(conn, message);
      return true;
    };
    const p = probe(() => useHistory('room'));
    await settle();
    expect(offsets(p.result)).toEqual(range(1, 6));
  });

  it('fetches one page at a time, whoever asks', async () => {
    before(100);
    const p = probe(() => useHistory('room', { pageSize: 10 }));
    await settle();
    const asked = commands('history').length;
    await act(async () => {
      void p.result.fetchOlder();
      void p.result.fetchOlder();
    });
    await settle();
    expect(commands('history')).toHaveLength(asked + 1);
    expect(offsets(p.result)).toEqual(range(81, 100));
  });

  it('shows that it is fetching', async () => {
    before(100);
    const p = probe(() => useHistory('room', { pageSize: 10 }));
    await settle();
    server.script = (_, { type }) => type === 'history';
    act(() => void p.result.fetchOlder());
    expect(p.result.isFetching).toBe(true);
    await settle();
    expect(p.result.isFetching).toBe(true);
    server.script = undefined;
    await cut();
    await pass(1000);
    expect(p.result.isFetching).toBe(false);
    expect(offsets(p.result)).toEqual(range(81, 100));
  });

  it('begins at once beside another hook of the channel', async () => {
    before(10);
    const client = makeClient();
    probe(() => useChannel('room'), { client });
    await settle();
    const p = probe(() => useHistory('room', { pageSize: 5 }), { client });
    await settle();
    await publish('room', 'new');
    expect(offsets(p.result)).toEqual(range(6, 11));
    expect(commands('subscribe')).toHaveLength(1);
  });

  it('continues beside one that rewinds, in whatever order they come', async () => {
    before(10);
    const p = probe(() => ({
      channel: useChannel('room', { rewind: 3 }),
      history: useHistory('room', { pageSize: 5 }),
    }));
    await pass(500);
    await publish('room', 'new');
    expect(offsets(p.result.history)).toEqual(range(6, 11));
    expect(p.result.channel.messages.map(({ offset }) => offset)).toEqual(range(8, 11));
  });

  it('begins where it should beside useLatest, which begins one message earlier', async () => {
    before(3);
    const p = probe(() => ({ history: useHistory('room'), latest: useLatest('room') }));
    await pass(500);
    expect(offsets(p.result.history)).toEqual([1, 2, 3]);
    expect(p.result.latest?.offset).toBe(3);
  });

  it('tells of new messages, not of those it fetches', async () => {
    before(10);
    const seen: number[] = [];
    const p = probe(() => useHistory('room', { onMessage: ({ offset }) => seen.push(offset) }));
    await settle();
    await publish('room', 'new');
    expect(seen).toEqual([11]);
    expect(offsets(p.result)).toEqual(range(1, 11));
  });

  it('subscribes and fetches once in StrictMode', async () => {
    before(10);
    const p = probe(() => useHistory('room'), { strict: true });
    await settle();
    await publish('room', 1);
    expect(offsets(p.result)).toEqual(range(1, 11));
    expect(commands('subscribe')).toHaveLength(1);
    expect(commands('history')).toHaveLength(1);
  });

  it('is another list for another channel, whose late page goes nowhere', async () => {
    before(10);
    server.publish('hall', { data: 'h' });
    let answer = () => {};
    server.script = (conn, message) => {
      if (message.type !== 'history' || message.channel !== 'room') return false;
      answer = () => {
        server.script = undefined;
        server.take(conn, message);
      };
      return true;
    };
    const p = probe(() => useHistory('room'));
    await settle();
    p.rerender(() => useHistory('hall'));
    await settle();
    await act(async () => answer());
    await settle();
    expect(p.result.messages.map(({ channel, data }) => [channel, data])).toEqual([['hall', 'h']]);
  });

  it('does nothing without a channel', async () => {
    const p = probe(() => useHistory(null));
    await run(() => p.result.fetchOlder());
    await run(() => p.result.fetchNewer());
    await run(() => p.result.toLive());
    expect(p.result).toMatchObject({ status: 'off', messages: [], hasOlder: false, gaps: [] });
    expect(server.conns).toHaveLength(0);
  });

  it('renders seldom in a flood, with all callbacks called', async () => {
    let seen = 0;
    const p = probe(() => useHistory('room', { limit: 100, onMessage: () => seen++ }));
    await settle();
    const renders = p.renders();
    for (let i = 0; i < 5000; i++) server.publish('room');
    await pass(100);
    expect(seen).toBe(5000);
    expect(offsets(p.result)).toEqual(range(4901, 5000));
    expect(p.renders() - renders).toBeLessThan(5);
  });
});

describe('the limit', () => {
  it('lets go of the oldest when new messages come, which can be fetched again', async () => {
    before(10);
    const p = probe(() => useHistory('room', { limit: 12, pageSize: 10 }));
    await settle();
    expect(p.result.hasOlder).toBe(false);
    await publish('room', ...range(11, 15));
    expect(offsets(p.result)).toEqual(range(4, 15));
    expect(p.result).toMatchObject({ hasOlder: true, atLive: true });
  });

  it('lets go of the newest when older ones are fetched; the list is not live then', async () => {
    before(30);
    const p = probe(() => useHistory('room', { limit: 15, pageSize: 10 }));
    await settle();
    await run(() => p.result.fetchOlder());
    expect(offsets(p.result)).toEqual(range(11, 25));
    expect(p.result).toMatchObject({ atLive: false, hasOlder: true, status: 'live' });
    await publish('room', 'new');
    expect(offsets(p.result)).toEqual(range(11, 25));
  });

  it('is not in the way of the page behind: nothing missing, nothing twice, and live again', async () => {
    before(30);
    const p = probe(() => useHistory('room', { limit: 15, pageSize: 10 }));
    await settle();
    await run(() => p.result.fetchOlder());
    await run(() => p.result.fetchOlder());
    expect(offsets(p.result)).toEqual(range(1, 15));
    await publish('room', 'new');
    await run(() => p.result.fetchNewer());
    expect(offsets(p.result)).toEqual(range(11, 25));
    expect(p.result).toMatchObject({ atLive: false, hasOlder: true });
    await run(() => p.result.fetchNewer());
    expect(offsets(p.result)).toEqual(range(17, 31));
    expect(p.result.atLive).toBe(true);
    await publish('room', 'live');
    expect(offsets(p.result)).toEqual(range(18, 32));
  });

  it('fetches what was published while the last page was on its way', async () => {
    before(20);
    const p = probe(() => useHistory('room', { limit: 10, pageSize: 10 }));
    await settle();
    await run(() => p.result.fetchOlder());
    let once = true;
    server.script = (conn, message) => {
      if (message.type !== 'history' || !once) return false;
      once = false;
      server.take(conn, message);
      // The push is written before the answer is read, the page was made before it.
      server.publish('room', { data: 'late' });
      return true;
    };
    await run(() => p.result.fetchNewer());
    await publish('room', 'live');
    expect(offsets(p.result).at(-1)).toBe(22);
    expect(new Set(offsets(p.result)).size).toBe(10);
    expect(p.result.atLive).toBe(true);
  });

  it('gives up the place in history, showing it until the newest page is there', async () => {
    before(30);
    const p = probe(() => useHistory('room', { limit: 15, pageSize: 10 }));
    await settle();
    await run(() => p.result.fetchOlder());
    const renders = p.renders();
    await run(() => p.result.toLive());
    expect(offsets(p.result)).toEqual(range(21, 30));
    expect(p.result).toMatchObject({ atLive: true, hasOlder: true });
    for (const result of p.results.slice(renders)) {
      expect(result.messages.length).toBeGreaterThan(0);
    }
    await publish('room', 'live');
    expect(offsets(p.result)).toEqual(range(21, 31));
  });

  it('keeps the place in history, and says why, when there is no newest page to be had', async () => {
    before(30);
    const p = probe(() => useHistory('room', { limit: 15, pageSize: 10 }));
    await settle();
    await run(() => p.result.fetchOlder());
    const { messages, hasOlder } = p.result;
    server.script = (conn, { type, id }) => {
      if (type !== 'history') return false;
      // One that comes while the page is on its way is not behind what is shown.
      server.publish('room', { data: 'late' });
      conn.say({ type: 'error', id, code: 'unavailable', message: 'no disk', retry: false });
      return true;
    };
    await run(() => p.result.toLive());
    expect(offsets(p.result)).toEqual(messages.map(({ offset }) => offset));
    expect(p.result).toMatchObject({
      atLive: false,
      hasOlder,
      isFetching: false,
      status: 'live',
      error: { code: 'unavailable' },
    });
    await publish('room', 'live');
    expect(offsets(p.result)).toEqual(messages.map(({ offset }) => offset));
    server.script = undefined;
    await run(() => p.result.fetchOlder());
    expect(offsets(p.result)[0]).toBe(1);
    await run(() => p.result.toLive());
    expect(offsets(p.result)).toEqual(range(23, 32));
    expect(p.result.atLive).toBe(true);
  });

  it('jumps after a page that is on its way has pushed out the newest', async () => {
    before(30);
    const p = probe(() => useHistory('room', { limit: 15, pageSize: 10 }));
    await settle();
    let done = false;
    await act(async () => {
      void p.result.fetchOlder();
      void p.result.toLive().then(() => {
        done = true;
      });
    });
    await settle();
    expect(done).toBe(true);
    expect(p.result.atLive).toBe(true);
    expect(offsets(p.result)).toEqual(range(21, 30));
  });

  it('needs no jump while the list is live', async () => {
    before(10);
    const p = probe(() => useHistory('room'));
    await settle();
    const asked = commands('history').length;
    await run(() => p.result.toLive());
    await run(() => p.result.fetchNewer());
    expect(commands('history')).toHaveLength(asked);
  });

  it('may drop what a page would have joined, and then the page goes nowhere', async () => {
    before(20);
    const p = probe(() => useHistory('room', { limit: 10, pageSize: 5 }));
    await settle();
    let answer = () => {};
    server.script = (conn, message) => {
      if (message.type !== 'history') return false;
      answer = () => server.take(conn, message);
      return true;
    };
    act(() => void p.result.fetchOlder());
    await settle();
    server.script = undefined;
    await publish('room', ...range(21, 30));
    await act(async () => answer());
    await settle();
    expect(offsets(p.result)).toEqual(range(21, 30));
    expect(p.result).toMatchObject({ hasOlder: true, isFetching: false });
  });
});

describe('gaps', () => {
  const lose = async (kept: number) => {
    await cut();
    before(10);
    const { messages } = server.channel('room');
    messages.splice(0, messages.length - kept);
    await pass(1000);
  };

  it('are marked in the list where messages are missing', async () => {
    before(5);
    const gaps: Gap[] = [];
    const p = probe(() => useHistory('room', { onGap: (gap) => gaps.push(gap) }));
    await settle();
    await lose(4);
    expect(offsets(p.result)).toEqual([...range(1, 5), ...range(12, 15)]);
    expect(p.result.gaps).toEqual([{ index: 5, from: 6, to: 11, reason: 'evicted' }]);
    expect(gaps).toMatchObject([{ from: 6, to: 11 }]);
  });

  it('stay where they are when older pages come, and go with what was before them', async () => {
    before(20);
    const p = probe(() => useHistory('room', { pageSize: 5, limit: 20 }));
    await settle();
    await act(async () => void p.result.fetchOlder());
    await settle();
    await lose(2);
    expect(p.result.gaps).toMatchObject([{ index: 10 }]);
    await publish('room', ...range(1, 10));
    expect(offsets(p.result)).toHaveLength(20);
    expect(p.result.gaps).toMatchObject([{ index: 8 }]);
    await publish('room', ...range(1, 8));
    expect(p.result.gaps).toEqual([]);
  });

  it('without anything before them are no gap in the list', async () => {
    const gaps: Gap[] = [];
    const p = probe(() => useHistory('room', { onGap: (gap) => gaps.push(gap) }));
    await settle();
    await lose(2);
    expect(gaps).toHaveLength(1);
    expect(p.result.gaps).toEqual([]);
    expect(offsets(p.result)).toEqual([9, 10]);
  });

  it('of a stream that began anew end what can be fetched', async () => {
    before(20);
    const p = probe(() => useHistory('room', { pageSize: 5 }));
    await settle();
    await cut();
    Object.assign(server.channel('room'), { epoch: 'e2', top: 0, messages: [] });
    before(30);
    await pass(1000);
    expect(p.result.gaps).toMatchObject([{ index: 5, reason: 'epoch' }]);
    expect(offsets(p.result)).toEqual([...range(16, 20), ...range(1, 30)]);
    await run(() => p.result.fetchOlder());
    expect(offsets(p.result)).toEqual([...range(16, 20), ...range(1, 30)]);
    expect(p.result.hasOlder).toBe(false);
  });

  it('are not made by a break that is bridged', async () => {
    before(5);
    const p = probe(() => useHistory('room'));
    await settle();
    await cut();
    expect(p.result).toMatchObject({ status: 'waiting', atLive: false });
    before(10);
    await pass(1000);
    expect(offsets(p.result)).toEqual(range(1, 15));
    expect(p.result).toMatchObject({ gaps: [], atLive: true });
  });

  it('before a page that begins later than the list ends are found, too', async () => {
    before(30);
    const p = probe(() => useHistory('room', { limit: 10, pageSize: 10 }));
    await settle();
    await run(() => p.result.fetchOlder());
    expect(offsets(p.result)).toEqual(range(11, 20));
    server.channel('room').messages.splice(0, 25);
    await run(() => p.result.fetchNewer());
    expect(offsets(p.result)).toEqual([...range(16, 20), ...range(26, 30)]);
    expect(p.result.gaps).toEqual([{ index: 5, from: 21, to: 25, reason: 'evicted' }]);
    expect(p.result.atLive).toBe(true);
  });

  it('in a place that is not shown are found when one gets there', async () => {
    before(30);
    const p = probe(() => useHistory('room', { limit: 10, pageSize: 10 }));
    await settle();
    await run(() => p.result.fetchOlder());
    server.channel('room').messages.length = 0;
    await run(() => p.result.fetchNewer());
    expect(offsets(p.result)).toEqual(range(11, 20));
    expect(p.result.gaps).toEqual([{ index: 10, from: 21, to: 30, reason: 'evicted' }]);
    await publish('room', 'live');
    expect(offsets(p.result)).toEqual([...range(12, 20), 31]);
    expect(p.result.gaps).toMatchObject([{ index: 9 }]);
  });
});

describe('preloaded messages', () => {
  const state = (top = 5, more = true): PreloadedHistory => ({
    channel: 'room',
    epoch: 'e1',
    messages: server
      .channel('room')
      .messages.slice(-3)
      .map((message) => ({
        channel: 'room',
        epoch: 'e1',
        time: 1,
        kind: 'json',
        data: message.data,
        offset: message.offset,
      })),
    top,
    oldest: 1,
    more,
  });

  it('are the first render, and the subscription goes on behind them', async () => {
    before(5);
    const preloaded = state();
    before(2);
    const p = probe(() => useHistory('room'), {
      wrap: (children) => <HistoryBoundary state={preloaded}>{children}</HistoryBoundary>,
    });
    expect(offsets(p.results[0] as HistoryState<Message>)).toEqual([3, 4, 5]);
    expect(p.results[0]).toMatchObject({ status: 'off', hasOlder: true });
    await settle();
    expect(commands('subscribe')).toMatchObject([{ since: { epoch: 'e1', offset: 5 } }]);
    expect(commands('history')).toEqual([]);
    expect(offsets(p.result)).toEqual(range(3, 7));
    await run(() => p.result.fetchOlder());
    expect(offsets(p.result)).toEqual(range(1, 7));
    expect(p.result.hasOlder).toBe(false);
  });

  it('may be given to the hook itself, and win over a boundary', async () => {
    before(5);
    const initial = { ...state(), messages: [] as Message[], more: false };
    const outer = state();
    const p = probe(() => useHistory('room', { initial }), {
      wrap: (children) => <HistoryBoundary state={outer}>{children}</HistoryBoundary>,
    });
    expect(p.results[0]).toMatchObject({ messages: [], hasOlder: false });
    await settle();
    expect(commands('subscribe')).toMatchObject([{ since: { epoch: 'e1', offset: 5 } }]);
  });

  it('that are too old to be continued are followed by a gap', async () => {
    before(5);
    const preloaded = state();
    before(10);
    server.channel('room').messages.splice(0, 12);
    const p = probe(() => useHistory('room', { initial: preloaded }));
    await settle();
    expect(offsets(p.result)).toEqual([3, 4, 5, 13, 14, 15]);
    expect(p.result.gaps).toEqual([{ index: 3, from: 6, to: 12, reason: 'evicted' }]);
  });

  it('of another channel are none', async () => {
    before(5);
    const preloaded = { ...state(), channel: 'hall' };
    const p = probe(() => useHistory('room'), {
      wrap: (children) => <HistoryBoundary state={preloaded}>{children}</HistoryBoundary>,
    });
    expect(p.results[0]?.messages).toEqual([]);
    await settle();
    expect(offsets(p.result)).toEqual(range(1, 5));
  });

  it('of which the newest was left out go on behind that', async () => {
    before(5);
    const { messages, ...rest } = state();
    const initial = { ...rest, messages: messages.slice(0, -1) };
    const p = probe(() => useHistory('room', { initial }));
    await settle();
    expect(commands('subscribe')).toMatchObject([{ since: { epoch: 'e1', offset: 5 } }]);
    expect(offsets(p.result)).toEqual([3, 4]);
  });

  it('that could not be loaded are none, and the hook begins live', async () => {
    before(5);
    const error = { code: 'network', message: 'the server was not there' };
    const failed = { ...state(), epoch: '', messages: [], top: 0, more: false, error };
    const p = probe(() => useHistory('room'), {
      wrap: (children) => <HistoryBoundary state={failed}>{children}</HistoryBoundary>,
    });
    await settle();
    expect(offsets(p.result)).toEqual(range(1, 5));
    expect(p.result.error).toBeUndefined();
  });

  it('come from the innermost of several boundaries', async () => {
    before(5);
    const outer = [state(), { ...state(), channel: 'hall' }];
    const inner = { ...state(), messages: state().messages.slice(-1) };
    const p = probe(() => [useHistory('room'), useHistory('hall')], {
      wrap: (children) => (
        <HistoryBoundary state={outer}>
          <HistoryBoundary state={inner}>{children}</HistoryBoundary>
        </HistoryBoundary>
      ),
    });
    expect(p.results[0]?.map(({ messages }) => messages.length)).toEqual([1, 3]);
    await settle();
  });

  it('are for useChannel, too', async () => {
    before(5);
    const preloaded = state();
    before(1);
    const p = probe(() => useChannel('room').messages.map(({ offset }) => offset), {
      wrap: (children) => <HistoryBoundary state={preloaded}>{children}</HistoryBoundary>,
    });
    expect(p.results[0]).toEqual([3, 4, 5]);
    await settle();
    expect(p.result).toEqual([3, 4, 5, 6]);
  });
});

describe.skipIf(!Activity)('a hidden Activity', () => {
  it('goes on behind what it had', async () => {
    const Shell = Activity as NonNullable<typeof Activity>;
    const results: HistoryState<Message>[] = [];
    const Room = () => {
      results.push(useHistory('room', { pageSize: 3 }));
      return null;
    };
    const client = makeClient();
    const page = (mode: 'visible' | 'hidden') => (
      <AnywireProvider client={client}>
        <Shell mode={mode}>
          <Room />
        </Shell>
      </AnywireProvider>
    );
    before(5);
    const { rerender } = render(page('visible'));
    await settle();
    rerender(page('hidden'));
    await pass(1000);
    before(3);
    rerender(page('visible'));
    await settle();
    expect(offsets(results.at(-1) as HistoryState<Message>)).toEqual(range(3, 8));
    expect(results.at(-1)).toMatchObject({ atLive: true, gaps: [] });
    expect(commands('history')).toHaveLength(1);
  });
});

describe('what goes wrong', () => {
  const refuse =
    (command: string, code: string): NonNullable<typeof server.script> =>
    (conn, { type, id, channel }) => {
      if (type !== command) return false;
      conn.say({ type: 'error', id, channel, code, message: 'no', retry: false });
      return true;
    };

  it.each(['no_history', 'forbidden'])('%s is an error, and live messages come', async (code) => {
    before(5);
    server.script = refuse('history', code);
    const errors: string[] = [];
    const p = probe(() => useHistory('room', { onError: (error) => errors.push(error.code) }));
    await settle();
    expect(p.result).toMatchObject({
      status: 'live',
      error: { code },
      hasOlder: false,
      isFetching: false,
    });
    expect(errors).toEqual([code]);
    await publish('room', 'live');
    expect(offsets(p.result)).toEqual([6]);
  });

  it('a channel that is refused is refused', async () => {
    server.script = refuse('subscribe', 'forbidden');
    const p = probe(() => useHistory('room'));
    await settle();
    expect(p.result).toMatchObject({ status: 'refused', error: { code: 'forbidden' } });
    await run(() => p.result.fetchOlder());
    expect(commands('history')).toEqual([]);
  });

  it('a stream that begins anew between subscription and page has no older messages', async () => {
    before(5);
    server.script = (conn, { type, id }) => {
      if (type !== 'history') return false;
      conn.say({ type: 'history', id, epoch: 'e2', top: 3, oldest: 1, more: true, messages: [] });
      return true;
    };
    const p = probe(() => useHistory('room'));
    await settle();
    expect(p.result).toMatchObject({ messages: [], hasOlder: false, isFetching: false });
  });

  it('a page that times out can be asked for again', async () => {
    before(20);
    const p = probe(() => useHistory('room', { pageSize: 5 }));
    await settle();
    server.script = (_, { type }) => type === 'history';
    act(() => void p.result.fetchOlder());
    await pass(125_000);
    expect(p.result).toMatchObject({ hasOlder: true, isFetching: false });
    expect(p.result.error).toMatchObject({ code: 'timeout' });
    server.script = undefined;
    await pass(30_000);
    await run(() => p.result.fetchOlder());
    expect(offsets(p.result)).toEqual(range(11, 20));
  });
});
