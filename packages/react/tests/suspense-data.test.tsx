import { act } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { useHistory, useLatest, usePresence } from '../src/suspense';
import { asked, makeClient, pass, publish, server, settle } from './realtime';
import { join, page } from './suspense-page';

const fill = (count: number): void => {
  for (let i = 1; i <= count; i++) server.publish('room', { data: i });
};

describe('history', () => {
  let fetchOlder = async () => {};
  function Log({ seen, pageSize = 3 }: { seen?: unknown[]; pageSize?: number }) {
    const log = useHistory('room', { pageSize, onMessage: ({ data }) => seen?.push(data) });
    fetchOlder = log.fetchOlder;
    const { atLive, error, gaps, hasOlder, messages, status } = log;
    const signs = [status, atLive ? 'end' : '', hasOlder ? 'older' : '', error?.code ?? ''];
    return <p>{`${signs.filter(Boolean).join(' ')}${gaps.length || ''}: ${join(messages)}`}</p>;
  }

  it.each([false, true])('comes with its newest page, strict mode: %s', async (strict) => {
    fill(5);
    const seen: unknown[] = [];
    const p = page(<Log seen={seen} />, { strict });
    expect(p.text()).toBe('…');
    await settle();
    expect(p.text()).toBe('live end older: 3 4 5');
    await publish('room', 6);
    expect(p.text()).toBe('live end older: 3 4 5 6');
    expect(seen).toEqual([6]);
    expect(asked('history')).toHaveLength(1);
    expect(asked('subscribe')).toHaveLength(1);
  });

  it('reaches back from there, without a hole and without a message twice', async () => {
    fill(5);
    const p = page(<Log />);
    await settle();
    await act(async () => void fetchOlder());
    await settle();
    expect(p.text()).toBe('live end: 1 2 3 4 5');
  });

  it('is there at once for an empty channel', async () => {
    const p = page(<Log />);
    await settle();
    expect(p.text()).toBe('live end: ');
    expect(asked('history')).toHaveLength(0);
    await publish('room', 1);
    expect(p.text()).toBe('live end: 1');
  });

  it('has what was published while the page was on its way', async () => {
    fill(2);
    server.script = (conn, message) => {
      if (message.type !== 'history') return false;
      server.script = undefined;
      server.publish('room', { data: 'meanwhile' });
      server.take(conn, message);
      return true;
    };
    const seen: unknown[] = [];
    const p = page(<Log seen={seen} />);
    await settle();
    expect(p.text()).toBe('live end: 1 2 meanwhile');
    expect(seen).toEqual(['meanwhile']);
  });

  it('that a channel does not keep is no reason to wait, and is told', async () => {
    fill(2);
    server.script = (conn, { id, type }) => {
      if (type !== 'history') return false;
      conn.say({ type: 'error', id, code: 'no_history', message: 'none is kept', retry: false });
      return true;
    };
    const p = page(<Log />);
    await settle();
    expect(p.text()).toBe('live end no_history: ');
    await publish('room', 'live');
    expect(p.text()).toBe('live end no_history: live');
  });

  it('begins behind a gap that nobody has seen', async () => {
    fill(2);
    server.script = (conn, { type }) => {
      if (type !== 'history') return false;
      server.script = undefined;
      fill(7);
      conn.say({
        type: 'gap',
        channel: 'room',
        from: 3,
        to: 9,
        reason: 'slow',
        epoch: 'e1',
        offset: 9,
      });
      return true;
    };
    const p = page(<Log />);
    await settle();
    expect(p.text()).toBe('live end older: 5 6 7');
  });
});

describe('the latest', () => {
  function Price({ initial }: { initial?: number }) {
    const price = useLatest<number, number>(
      'room',
      ({ data }) => data,
      initial === undefined ? {} : ({ initial } as never),
    );
    return <p>{`price ${price}`}</p>;
  }

  it('is the last that the channel has had', async () => {
    fill(3);
    const p = page(<Price />);
    expect(p.text()).toBe('…');
    await settle();
    expect(p.text()).toBe('price 3');
    await publish('room', 4);
    expect(p.text()).toBe('price 4');
    expect(asked('subscribe')).toHaveLength(1);
  });

  it('is awaited where there is none, however long', async () => {
    const p = page(<Price />);
    await settle();
    await pass(30_000);
    expect(p.text()).toBe('…');
    await publish('room', 1);
    expect(p.text()).toBe('price 1');
  });

  it('is not awaited where there is a value to begin with', async () => {
    const p = page(<Price initial={7} />);
    expect(p.text()).toBe('price 7');
    await settle();
    await publish('room', 8);
    expect(p.text()).toBe('price 8');
  });
});

describe('presence', () => {
  function Who({ me }: { me?: { name: string } }) {
    const { count, others, self, status } = usePresence('room', me);
    const names = others.map(({ info }) => (info as { name: string }).name).join(' ');
    return <p>{`${status} ${count}: ${names}${self ? ' and us' : ''}`}</p>;
  }
  const join = (name: string) =>
    server.presence('room', { join: [{ client: name, info: { name } }] });

  it.each([false, true])('is there in the first render, strict mode: %s', async (strict) => {
    join('bob');
    const p = page(<Who />, { strict });
    expect(p.text()).toBe('…');
    await settle();
    expect(p.text()).toBe('live 1: bob');
    await act(async () => void join('eve'));
    await settle();
    expect(p.text()).toBe('live 2: bob eve');
    expect(asked('subscribe')).toHaveLength(1);
  });

  it('has us in it when the component is mounted, not before', async () => {
    let entered = 0;
    server.script = (_, { type }) => {
      if (type === 'enter') entered++;
      return false;
    };
    join('bob');
    const p = page(<Who me={{ name: 'ann' }} />);
    expect(entered).toBe(0);
    await settle();
    await settle();
    expect(p.text()).toBe('live 2: bob and us');
    expect(entered).toBe(1);
    p.unmount();
    await pass(1000);
    expect(asked('leave')).toHaveLength(1);
  });

  it('does not suspend a component where another one watches already', async () => {
    join('bob');
    const p = page(<Who />);
    await settle();
    await pass(10_000);
    p.rerender([<Who key="a" />, <Who key="b" />]);
    expect(p.text()).toBe('live 1: boblive 1: bob');
    await settle();
    expect(asked('subscribe')).toHaveLength(1);
  });

  it('that is refused goes to the error boundary', async () => {
    server.script = (conn, { id, type }) => {
      if (type !== 'subscribe') return false;
      conn.say({ type: 'error', id, code: 'no_presence', message: 'none', retry: false });
      return true;
    };
    const p = page(<Who />);
    await settle();
    expect(p.text()).toBe('no_presence');
  });

  it('is selected from like that of the other hook', async () => {
    join('bob');
    function Count() {
      return <p>{usePresence('room', null, { select: ({ count }) => count })}</p>;
    }
    const p = page(<Count />);
    await settle();
    expect(p.text()).toBe('1');
    await act(async () => void join('eve'));
    await settle();
    expect(p.text()).toBe('2');
  });

  it('is off without a channel and with a closed client', async () => {
    const client = makeClient();
    await act(() => client.close());
    function Off({ name }: { name: string | null }) {
      return <p>{usePresence(name).status}</p>;
    }
    expect(page(<Off name={null} />).text()).toBe('off');
    expect(page(<Off name="room" />, { client }).text()).toBe('off');
  });
});
