import { act, fireEvent } from '@testing-library/react';
import { Suspense, startTransition, useLayoutEffect, useState } from 'react';
import { describe, expect, it } from 'vitest';
import type { ChannelRef, Gap, WireMessage } from '../../client/src/index';
import { AnywireError } from '../../client/src/index';
import type { Conn } from '../../client/tests/support/native-server';
import { useChannel } from '../src/suspense';
import { asked, cut, makeClient, pass, publish, server, settle } from './realtime';
import { join, page } from './suspense-page';

interface ListProps {
  readonly name: string | null | ChannelRef<string>;
  readonly seen?: unknown[];
  readonly gaps?: Gap[];
  readonly errors?: string[];
  readonly rewind?: number;
}

function List({ name, seen, gaps, errors, rewind }: ListProps) {
  const { messages, status } = useChannel(name, {
    ...(rewind && { rewind }),
    onMessage: ({ data }) => seen?.push(data),
    onGap: (gap) => gaps?.push(gap),
    onError: ({ code }) => errors?.push(code),
  });
  return <p>{`${status}: ${join(messages)}`}</p>;
}

/** Suspended until the test says so. */
function gate() {
  let open = () => {};
  const promise = new Promise<void>((resolve) => {
    open = resolve;
  });
  let passed = false;
  return {
    Gate: () => {
      if (!passed) throw promise;
      return null;
    },
    open: () =>
      act(async () => {
        passed = true;
        open();
        await promise;
      }),
  };
}

/** The server does not answer commands of this type; those that wait are returned. */
function hold(type: string): { readonly held: [Conn, WireMessage][]; answer(): Promise<void> } {
  const held: [Conn, WireMessage][] = [];
  server.script = (conn, message) => message.type === type && held.push([conn, message]) > 0;
  return {
    held,
    async answer() {
      server.script = undefined;
      await act(async () => {
        for (const [conn, message] of held) server.take(conn, message);
      });
      await settle();
    },
  };
}

/** The server refuses all subscriptions. */
function refuse(code: string, retry = false): void {
  server.script = (conn, { type, id }) => {
    if (type !== 'subscribe') return false;
    conn.say({ type: 'error', id, code, message: 'no', retry });
    return true;
  };
}

describe('a channel', () => {
  it.each([false, true])('is awaited and then live, strict mode: %s', async (strict) => {
    const seen: unknown[] = [];
    const p = page(<List name="room" seen={seen} />, { strict });
    expect(p.text()).toBe('…');
    await settle();
    expect(p.text()).toBe('live: ');
    await publish('room', 1, 2);
    expect(p.text()).toBe('live: 1 2');
    expect(seen).toEqual([1, 2]);
    expect(asked('subscribe')).toHaveLength(1);
    expect(asked('unsubscribe')).toHaveLength(0);
  });

  it.each([false, true])('has rewound messages in its first list, strict: %s', async (strict) => {
    for (const data of [1, 2, 3]) server.publish('room', { data });
    const seen: unknown[] = [];
    const p = page(<List name="room" rewind={2} seen={seen} />, { strict });
    expect(p.text()).toBe('…');
    await settle();
    expect(p.text()).toBe('live: 2 3');
    expect(seen).toEqual([2, 3]);
    await publish('room', 4);
    expect(p.text()).toBe('live: 2 3 4');
    expect(seen).toEqual([2, 3, 4]);
    expect(asked('subscribe')).toHaveLength(1);
  });

  it('loses nothing that comes while another part of the page is still awaited', async () => {
    const { Gate, open } = gate();
    const seen: unknown[] = [];
    const p = page([<List key="list" name="room" seen={seen} />, <Gate key="gate" />]);
    await settle();
    await publish('room', 1, 2);
    expect(p.text()).toBe('…');
    expect(seen).toEqual([]);
    await open();
    expect(p.text()).toBe('live: 1 2');
    expect(seen).toEqual([1, 2]);
    await publish('room', 3);
    expect(p.text()).toBe('live: 1 2 3');
    expect(seen).toEqual([1, 2, 3]);
    expect(asked('subscribe')).toHaveLength(1);
  });

  it('loses nothing that comes between its render and its effects', async () => {
    const seen: unknown[] = [];
    function Early() {
      useLayoutEffect(() => {
        server.publish('room', { data: 'early' });
      }, []);
      return null;
    }
    const p = page([<List key="list" name="room" seen={seen} />, <Early key="early" />]);
    await settle();
    await settle();
    expect(seen).toEqual(['early']);
    expect(p.text()).toBe('live: early');
    expect(asked('subscribe')).toHaveLength(1);
  });

  it('is one subscription for two components, each with its own list and callbacks', async () => {
    for (const data of [1, 2]) server.publish('room', { data });
    const first: unknown[] = [];
    const second: unknown[] = [];
    function Doubled() {
      const { messages } = useChannel<number, number>('room', {
        rewind: 2,
        select: ({ data }) => data * 2,
        onMessage: ({ data }) => second.push(data),
      });
      return <p>{messages.join(' ')}</p>;
    }
    const p = page([<List key="a" name="room" rewind={2} seen={first} />, <Doubled key="b" />]);
    await settle();
    expect(p.text()).toBe('live: 1 22 4');
    await publish('room', 3);
    expect(p.text()).toBe('live: 1 2 32 4 6');
    expect(first).toEqual([1, 2, 3]);
    expect(second).toEqual([1, 2, 3]);
    expect(asked('subscribe')).toHaveLength(1);
  });

  it('loses nothing for a component that comes a while after another', async () => {
    const first = gate();
    const second = gate();
    const seen: unknown[] = [];
    const p = page([
      <List key="a" name="room" />,
      <Suspense key="b" fallback="?">
        <List name="room" seen={seen} />
        <first.Gate />
        <second.Gate />
      </Suspense>,
    ]);
    await settle();
    await publish('room', 1);
    expect(p.text()).toContain('live: 1?');
    await pass(200);
    await first.open();
    // The second list was rendered once more just now, and will be mounted later.
    await pass(400);
    await publish('room', 2);
    await second.open();
    expect(seen).toEqual([1, 2]);
    expect(asked('subscribe')).toHaveLength(1);
  });

  it('does not suspend a component that joins a live subscription', async () => {
    const p = page(<List name="room" />);
    await settle();
    await pass(10_000);
    p.rerender([<List key="a" name="room" />, <List key="b" name="room" />]);
    expect(p.text()).toBe('live: live: ');
    await settle();
    expect(asked('subscribe')).toHaveLength(1);
  });

  it('is off without a channel, and waits for nothing', async () => {
    const p = page(<List name={null} />);
    expect(p.text()).toBe('off: ');
    await settle();
    expect(server.conns).toHaveLength(0);
    p.rerender(<List name="room" />);
    expect(p.text()).toBe('…');
    await settle();
    expect(p.text()).toBe('live: ');
  });

  it('is off when the client was closed, and waits for nothing', async () => {
    const client = makeClient();
    await act(() => client.close());
    const p = page(<List name="room" />, { client });
    expect(p.text()).toBe('off: ');
  });

  it('waits no more when the client is closed meanwhile', async () => {
    const client = makeClient();
    server.sockets = 'hang';
    const p = page(<List name="room" />, { client });
    await settle();
    expect(p.text()).toBe('…');
    await act(async () => void client.close());
    await settle();
    expect(p.text()).toBe('off: ');
  });

  it('shows the fallback for another channel, and nothing of the former', async () => {
    const p = page(<List name="a" />);
    await settle();
    await publish('a', 'of a');
    p.rerender(<List name="b" />);
    expect(p.text()).toBe('…');
    await settle();
    expect(p.text()).toBe('live: ');
    await publish('b', 'of b');
    expect(p.text()).toBe('live: of b');
    await pass(1000);
    expect([...server.last.subscriptions.keys()]).toEqual(['b']);
  });

  it('keeps the former channel on the page in a transition', async () => {
    let go = (_name: string) => {};
    function Chosen() {
      const [name, choose] = useState('a');
      go = choose;
      return <List name={name} />;
    }
    const p = page(<Chosen />);
    await settle();
    await publish('a', 1);
    const subscribing = hold('subscribe');
    act(() => startTransition(() => go('b')));
    await settle();
    expect(p.text()).toBe('live: 1');
    await publish('a', 2);
    expect(p.text()).toBe('live: 1 2');
    await subscribing.answer();
    expect(p.text()).toBe('live: ');
  });

  it('begins with what it was given, without waiting', () => {
    const message = { channel: 'room', epoch: 'e1', offset: 1, time: 1, data: 'given' } as const;
    const initial = {
      channel: 'room',
      epoch: 'e1',
      messages: [{ ...message, kind: 'json' as const }],
      top: 1,
      oldest: 1,
      more: false,
    };
    server.publish('room', { data: 'given' });
    function Given() {
      return <p>{join(useChannel<string>('room', { initial }).messages)}</p>;
    }
    expect(page(<Given />).text()).toBe('given');
  });

  it('tells of a gap that came while it was suspended', async () => {
    const { Gate, open } = gate();
    const gaps: Gap[] = [];
    page([<List key="list" name="room" gaps={gaps} />, <Gate key="gate" />]);
    await settle();
    await act(async () => {
      const where = { channel: 'room', epoch: 'e1', offset: 7 };
      server.last.say({ type: 'gap', from: 1, to: 7, reason: 'slow', ...where });
    });
    await open();
    expect(gaps).toMatchObject([{ from: 1, to: 7, reason: 'slow' }]);
  });

  it('tells of a message that the contract refused while it was suspended', async () => {
    const { Gate, open } = gate();
    const errors: string[] = [];
    const refuseAll = () => {
      throw new AnywireError('schema', 'not a string', { issues: [] });
    };
    const check = { message: refuseAll, publish: (data: unknown) => data, presence: refuseAll };
    const name = { name: 'room', check };
    page([<List key="list" name={name} errors={errors} />, <Gate key="gate" />]);
    await settle();
    await publish('room', 1);
    await open();
    expect(errors).toEqual(['schema']);
  });

  it('says how many messages were too many for a component that never came in time', async () => {
    const { Gate, open } = gate();
    const seen: unknown[] = [];
    const gaps: Gap[] = [];
    page([<List key="list" name="room" seen={seen} gaps={gaps} />, <Gate key="gate" />]);
    await settle();
    await act(async () => {
      for (let i = 1; i <= 12_500; i++) server.publish('room', { data: i });
    });
    await open();
    const [first] = seen as number[];
    expect(seen.length).toBeLessThanOrEqual(10_000);
    expect(seen.at(-1)).toBe(12_500);
    expect(gaps).toMatchObject([{ from: 1, to: Number(first) - 1, reason: 'slow' }]);
  });
});

describe('a component that never comes', () => {
  it('leaves no subscription behind', async () => {
    const p = page(<List name="room" />);
    const { Gate } = gate();
    p.rerender([<List key="list" name="room" />, <Gate key="gate" />]);
    await settle();
    expect([...server.last.subscriptions.keys()]).toEqual(['room']);
    p.unmount();
    await pass(6000);
    expect([...server.last.subscriptions.keys()]).toEqual([]);
  });

  it('leaves nothing behind when the subscription was not granted either', async () => {
    const client = makeClient();
    const subscribing = hold('subscribe');
    const p = page(<List name="room" />, { client });
    await settle();
    expect(subscribing.held).toHaveLength(1);
    p.unmount();
    await pass(11_000);
    expect(asked('unsubscribe')).toHaveLength(1);
  });
});

describe('a long wait', () => {
  it('goes on as long as the component is there', async () => {
    const subscribing = hold('subscribe');
    const p = page(<List name="room" />);
    await settle();
    await pass(25_000);
    expect(p.text()).toBe('…');
    // Within the linger of the subscription the next try takes it over: it is not asked for again.
    expect(subscribing.held).toHaveLength(1);
    await subscribing.answer();
    expect(p.text()).toBe('live: ');
  });
});

describe('an error', () => {
  it('goes to the error boundary, once, and a reset tries again', async () => {
    refuse('forbidden');
    const p = page(<List name="room" />);
    await settle();
    expect(p.text()).toBe('forbidden');
    const tries = asked('subscribe').length;
    expect(tries).toBe(1);
    await pass(5000);
    expect(asked('subscribe')).toHaveLength(tries);
    server.script = undefined;
    fireEvent.click(p.container.querySelector('button') as Element);
    await settle();
    expect(p.text()).toBe('live: ');
  });

  it('is no storm where a boundary resets itself', async () => {
    refuse('forbidden');
    const p = page(<List name="room" />);
    await settle();
    for (let i = 0; i < 20; i++) {
      const button = p.container.querySelector('button');
      if (button) fireEvent.click(button);
      await pass(50);
    }
    expect(asked('subscribe').length).toBeLessThanOrEqual(3);
  });

  it('also goes there when a live subscription is ended', async () => {
    const p = page(<List name="room" />);
    await settle();
    await act(async () => {
      const end = { type: 'unsubscribed', code: 'forbidden', message: 'no more' };
      server.last.say({ ...end, channel: 'room' });
      server.last.subscriptions.delete('room');
    });
    await settle();
    expect(p.text()).toBe('forbidden');
    await pass(1000);
    fireEvent.click(p.container.querySelector('button') as Element);
    await settle();
    expect(p.text()).toBe('live: ');
  });

  it('of a client that has given up is tried again by a reset', async () => {
    const client = makeClient();
    const p = page(<List name="room" />, { client });
    await settle();
    await cut(4403, 'not wanted');
    await settle();
    expect(client.snapshot.state).toBe('failed');
    expect(p.text()).toBe('refused');
    await pass(1000);
    fireEvent.click(p.container.querySelector('button') as Element);
    await settle();
    await settle();
    expect(p.text()).toBe('live: ');
    expect(server.conns).toHaveLength(2);
  });

  it('that passes is not one: the component stays, and is recovered', async () => {
    const p = page(<List name="room" />);
    await settle();
    await publish('room', 1);
    await cut();
    expect(p.text()).toBe('waiting: 1');
    await act(async () => {
      server.publish('room', { data: 2 });
    });
    await pass(1500);
    expect(p.text()).toBe('live: 1 2');
  });
});
