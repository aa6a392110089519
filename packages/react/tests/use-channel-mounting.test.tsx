import { act, render } from '@testing-library/react';
import * as React from 'react';
import { type ReactNode, StrictMode, useEffect, useState } from 'react';
import { describe, expect, it, vi } from 'vitest';
import type { Client, Message } from '../../client/src/index';
import { AnywireProvider, type UseChannelResult, useChannel } from '../src/index';
import { cut, FakeWebSocket, makeClient, pass, probe, publish, server, settle } from './realtime';

const { Activity } = React as unknown as {
  Activity?: (props: { mode: 'visible' | 'hidden'; children: ReactNode }) => ReactNode;
};
const commands = (type: string) => server.conns.flatMap((conn) => conn.of(type));

/** A page with a component in an Activity: what it has seen, and how it is shown or hidden. */
function stage(client: Client) {
  const seen: number[] = [];
  const gaps: unknown[] = [];
  const results: UseChannelResult<Message>[] = [];
  const Room = () => {
    const result = useChannel('room', {
      onMessage: ({ offset }) => seen.push(offset),
      onGap: ({ from, to }) => gaps.push([from, to]),
    });
    results.push(result);
    return <p>{result.messages.map(({ offset }) => offset).join(' ')}</p>;
  };
  const Shell = Activity as NonNullable<typeof Activity>;
  const page = (mode: 'visible' | 'hidden') => (
    <AnywireProvider client={client}>
      <Shell mode={mode}>
        <Room />
      </Shell>
    </AnywireProvider>
  );
  const { rerender } = render(page('visible'));
  return { seen, gaps, results, turn: (mode: 'visible' | 'hidden') => rerender(page(mode)) };
}

describe('StrictMode', () => {
  it('makes one connection and one subscription, and nothing is seen twice', async () => {
    const errors = vi.spyOn(console, 'error');
    const seen: number[] = [];
    const use = () => useChannel('room', { onMessage: ({ offset }) => seen.push(offset) });
    const p = probe(use, { strict: true });
    await settle();
    await publish('room', 1, 2);
    await pass(1000);
    expect(seen).toEqual([1, 2]);
    expect(p.result.messages).toHaveLength(2);
    expect(FakeWebSocket.all).toHaveLength(1);
    expect(server.last.got.map(({ type }) => type)).toEqual(['connect', 'subscribe']);
    expect(errors).not.toHaveBeenCalled();
  });

  it('keeps the subscription when a channel is mounted while it is live', async () => {
    const client = makeClient();
    probe(() => useChannel('room'), { client, strict: true });
    await settle();
    const p = probe(() => useChannel('room'), { client, strict: true });
    await settle();
    await publish('room', 1);
    expect(p.result.messages).toHaveLength(1);
    expect(commands('subscribe')).toHaveLength(1);
    expect(commands('unsubscribe')).toHaveLength(0);
  });
});

describe('unmounting', () => {
  it('ends the subscription after the linger, and nothing is heard from then on', async () => {
    const seen: number[] = [];
    const p = probe(() => useChannel('room', { onMessage: ({ offset }) => seen.push(offset) }));
    await settle();
    p.unmount();
    server.publish('room');
    await pass(200);
    expect(commands('unsubscribe')).toHaveLength(0);
    await pass(100);
    expect(commands('unsubscribe')).toHaveLength(1);
    expect(seen).toEqual([]);
  });

  it('before the connection is open leaves nothing behind', async () => {
    const p = probe(() => useChannel('room'));
    p.unmount();
    await pass(1000);
    expect(commands('subscribe')).toHaveLength(0);
  });

  it('and mounting within the linger sends nothing', async () => {
    const client = makeClient();
    const first = probe(() => useChannel('room'), { client });
    await settle();
    first.unmount();
    await pass(100);
    const second = probe(() => useChannel('room'), { client });
    expect(second.result.status).toBe('live');
    await pass(1000);
    expect(server.last.got.map(({ type }) => type)).toEqual(['connect', 'subscribe']);
  });

  it('of one of two leaves the other as it is', async () => {
    const client = makeClient();
    const first = probe(() => useChannel('room'), { client });
    const second = probe(() => useChannel('room'), { client });
    await settle();
    first.unmount();
    await pass(1000);
    await publish('room', 1);
    expect(second.result).toMatchObject({ status: 'live', messages: [{ data: 1 }] });
    expect(commands('unsubscribe')).toHaveLength(0);
  });

  it('leaves a publish that is under way alone', async () => {
    const p = probe(() => useChannel('room'));
    await settle();
    const published = p.result.publish('bye');
    p.unmount();
    await settle();
    await expect(published).resolves.toMatchObject({ offset: 1, duplicate: false });
  });
});

describe.skipIf(!Activity)('a hidden Activity', () => {
  it('goes on behind what it had, so that no message is lost and none comes twice', async () => {
    const { seen, gaps, results, turn } = stage(makeClient());
    await settle();
    await publish('room', 1);
    turn('hidden');
    await pass(5000);
    await publish('room', 2, 3);
    expect(seen).toEqual([1]);
    expect(commands('unsubscribe')).toHaveLength(1);
    turn('visible');
    await settle();
    await publish('room', 4);
    expect(seen).toEqual([1, 2, 3, 4]);
    expect(gaps).toEqual([]);
    expect(results.at(-1)).toMatchObject({ status: 'live', recovered: true });
    expect(results.at(-1)?.messages.map(({ offset }) => offset)).toEqual([1, 2, 3, 4]);
  });

  it('shown again at once neither loses a message nor asks again if there was none', async () => {
    const { seen, turn } = stage(makeClient());
    await settle();
    turn('hidden');
    await pass(100);
    turn('visible');
    await settle();
    expect(commands('subscribe')).toHaveLength(1);
    turn('hidden');
    await publish('room', 1);
    turn('visible');
    await pass(500);
    await publish('room', 2);
    expect(seen).toEqual([1, 2]);
  });

  it('is told what history could not keep', async () => {
    const { seen, gaps, turn } = stage(makeClient());
    await settle();
    await publish('room', 1);
    turn('hidden');
    await pass(1000);
    await publish('room', 2, 3, 4);
    server.channel('room').messages.splice(0, 2);
    turn('visible');
    await settle();
    expect(seen).toEqual([1, 3, 4]);
    expect(gaps).toEqual([[2, 2]]);
  });

  it('beside a visible hook of the channel has what it missed, without the other seeing it twice', async () => {
    const client = makeClient();
    const other: number[] = [];
    probe(() => useChannel('room', { onMessage: ({ offset }) => other.push(offset) }), { client });
    const { seen, turn } = stage(client);
    await settle();
    turn('hidden');
    await publish('room', 1, 2);
    turn('visible');
    await settle();
    await publish('room', 3);
    expect(seen).toEqual([1, 2, 3]);
    expect(other).toEqual([1, 2, 3]);
  });

  it('hidden while the link is down finds all when it is shown', async () => {
    const { seen, turn } = stage(makeClient());
    await settle();
    await publish('room', 1);
    await cut();
    turn('hidden');
    server.publish('room');
    await pass(2000);
    turn('visible');
    await pass(2000);
    expect(seen).toEqual([1, 2]);
  });
});

describe('effects', () => {
  it('may publish in their first run, and the message comes', async () => {
    const seen: unknown[] = [];
    const Hello = () => {
      const { publish } = useChannel('room', { onMessage: ({ data }) => seen.push(data) });
      useEffect(() => void publish('hello'), [publish]);
      return null;
    };
    render(
      <AnywireProvider client={makeClient()}>
        <Hello />
      </AnywireProvider>,
    );
    await settle();
    expect(seen).toEqual(['hello']);
  });

  it('of children may publish before the hook of their parent is attached', async () => {
    const sent: unknown[] = [];
    const Child = ({ publish }: { publish: (data: unknown) => Promise<unknown> }) => {
      useEffect(() => void publish('early').then((at) => sent.push(at)), [publish]);
      return null;
    };
    const Parent = () => <Child publish={useChannel('room').publish} />;
    render(
      <AnywireProvider client={makeClient()}>
        <Parent />
      </AnywireProvider>,
    );
    await settle();
    expect(sent).toMatchObject([{ offset: 1 }]);
  });

  it('see the same publish and clear in every render', async () => {
    const runs: number[] = [];
    const Page = () => {
      const { publish, clear, messages } = useChannel('room');
      // biome-ignore lint/correctness/useExhaustiveDependencies: what is tested
      useEffect(() => void runs.push(1), [publish, clear]);
      return <p>{messages.length}</p>;
    };
    render(
      <AnywireProvider client={makeClient()}>
        <Page />
      </AnywireProvider>,
    );
    await settle();
    await publish('room', 1, 2);
    expect(runs).toEqual([1]);
  });
});

describe('concurrent rendering', () => {
  it('that is given up has subscribed to nothing', async () => {
    const never = new Promise<never>(() => {});
    const Suspended = () => {
      useChannel('hidden room');
      throw never;
    };
    render(
      <AnywireProvider client={makeClient()}>
        <React.Suspense fallback="waiting">
          <Suspended />
        </React.Suspense>
      </AnywireProvider>,
    );
    await pass(1000);
    expect(server.conns).toHaveLength(0);
  });

  it('of a transition keeps the old channel until the new one is shown', async () => {
    const log: string[] = [];
    let go = (_: string) => {};
    const Page = () => {
      const [name, setName] = useState('a');
      go = (next) => React.startTransition(() => setName(next));
      const { messages } = useChannel(name, { onMessage: ({ channel }) => log.push(channel) });
      return <p>{`${name} ${messages.length}`}</p>;
    };
    const { container } = render(
      <StrictMode>
        <AnywireProvider client={makeClient()}>
          <Page />
        </AnywireProvider>
      </StrictMode>,
    );
    await settle();
    await publish('a', 1);
    act(() => go('b'));
    await settle();
    await publish('a', 2);
    await publish('b', 1);
    expect(container.textContent).toBe('b 1');
    expect(log).toEqual(['a', 'b']);
  });
});
