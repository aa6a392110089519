// @vitest-environment jsdom
import {
  useChannel,
  useChannelEvent,
  useConnectionState,
  useHistory,
  useOptimisticPublish,
  usePresence,
  useRpc,
} from '@anywire/react';
import { screen } from '@testing-library/react';
import { createContext, StrictMode, useContext, useEffect, useState } from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createMockServer, type MockServer } from '../src/index';
import { renderWithAnywire } from '../src/react';
import { setupVitest } from '../src/vitest';

setupVitest();

let server: MockServer;
beforeEach(() => {
  server = createMockServer();
});
afterEach(() => {
  vi.useRealTimers();
});

function List({ name = 'room' }: { readonly name?: string }) {
  const { messages, status, gap } = useChannel<string>(name);
  return (
    <ul title={status} data-gap={gap?.reason}>
      {messages.map(({ offset, data }) => (
        <li key={offset}>{data}</li>
      ))}
    </ul>
  );
}
const items = () => screen.queryAllByRole('listitem').map(({ textContent }) => textContent);
const status = () => screen.getByRole('list').title;

describe('renderWithAnywire', () => {
  it('shows what is there as soon as it resolves', async () => {
    const { client } = await renderWithAnywire(<List />, { server });
    expect(status()).toBe('live');
    expect(client.state).toBe('open');
    expect(server.connections).toHaveLength(1);
  });

  it('draws what the server does', async () => {
    const view = await renderWithAnywire(<List />, { server });
    await view.act(() => server.publish('room', 'hello'));
    expect(items()).toEqual(['hello']);
    server.publish('room', 'again');
    await view.settled();
    expect(items()).toEqual(['hello', 'again']);
    await view.act(() => server.gap('room'));
    expect(screen.getByRole('list').dataset.gap).toBe('slow');
  });

  it('is in StrictMode, with one connection all the same', async () => {
    const mounts: string[] = [];
    function Probe() {
      useEffect(() => {
        mounts.push('mount');
      }, []);
      return <List />;
    }
    await renderWithAnywire(<Probe />, { server });
    expect(mounts).toEqual(['mount', 'mount']);
    expect(server.connections).toHaveLength(1);
    expect(server.subscribers('room')).toBe(1);
  });

  it('is not where that is not wanted', async () => {
    const mounts: string[] = [];
    function Probe() {
      useEffect(() => {
        mounts.push('mount');
      }, []);
      return null;
    }
    await renderWithAnywire(<Probe />, { server, strict: false });
    expect(mounts).toEqual(['mount']);
  });

  it('takes a client of the test’s own', async () => {
    const client = server.createClient({ token: 'ann' });
    function Me() {
      return <b>{useConnectionState(({ user }) => user)}</b>;
    }
    const view = await renderWithAnywire(
      <>
        <Me />
        <List />
      </>,
      { server, client },
    );
    expect(view.client).toBe(client);
    expect(screen.getByText('ann')).toBeDefined();
  });

  it('puts a wrapper of the test’s around everything, also when rendered again', async () => {
    const Theme = createContext('none');
    function Themed() {
      return <i>{useContext(Theme)}</i>;
    }
    const wrapper = ({ children }: { readonly children: React.ReactNode }) => (
      <Theme.Provider value="dark">{children}</Theme.Provider>
    );
    const view = await renderWithAnywire(<Themed />, { server, wrapper });
    expect(screen.getByText('dark')).toBeDefined();
    view.rerender(
      <>
        <Themed />
        <List name="other" />
      </>,
    );
    await view.settled();
    expect([status(), screen.getByText('dark') !== null]).toEqual(['live', true]);
    expect(server.subscribers('other')).toBe(1);
  });

  it('works on fake timers, whose time a frame takes', async () => {
    vi.useFakeTimers();
    const view = await renderWithAnywire(<List />, { server });
    const before = Date.now();
    await view.act(() => server.publish('room', 'hello'));
    expect(items()).toEqual(['hello']);
    expect(Date.now() - before).toBe(20);
    server.refuse();
    await view.act(() => server.drop());
    expect(status()).toBe('waiting');
    await view.act(() => vi.advanceTimersByTimeAsync(1000));
    expect(status()).toBe('live');
  });
});

describe('what is rendered', () => {
  let unmounted = 0;
  function Probe() {
    useEffect(
      () => () => {
        unmounted++;
      },
      [],
    );
    return null;
  }

  it('is there until the test is over', async () => {
    unmounted = 0;
    await renderWithAnywire(<Probe />, { server, strict: false });
    expect(unmounted).toBe(0);
  });

  it('is unmounted then', () => {
    expect(unmounted).toBe(1);
    expect(document.body.textContent).toBe('');
  });
});

describe('the hooks, on a server in memory', () => {
  it('come back with what they missed', async () => {
    vi.useFakeTimers();
    const view = await renderWithAnywire(<List />, { server });
    await view.act(() => {
      server.publish('room', 'one');
      server.drop();
      server.publish('room', 'two');
    });
    await view.act(() => vi.advanceTimersByTimeAsync(1000));
    expect(items()).toEqual(['one', 'two']);
    expect(screen.getByRole('list').dataset.gap).toBeUndefined();
  });

  it('tell of a refusal', async () => {
    server.fail('subscribe', { code: 'forbidden' });
    await renderWithAnywire(<List />, { server });
    expect(status()).toBe('refused');
  });

  it('see every message in events', async () => {
    const seen: unknown[] = [];
    function Ear() {
      useChannelEvent('room', ({ data }) => seen.push(data));
      return null;
    }
    const view = await renderWithAnywire(<Ear />, { server });
    await view.act(() => {
      for (let i = 0; i < 500; i++) server.publish('room', i);
    });
    expect(seen).toEqual(Array.from({ length: 500 }, (_, i) => i));
  });

  it('know who is there', async () => {
    function Who() {
      const { others, self, count } = usePresence<{ name: string }>('room', { name: 'Me' });
      return (
        <p title={`${count}`}>
          {[self, ...others].map((member) => member?.info?.name ?? '?').join(' ')}
        </p>
      );
    }
    const view = await renderWithAnywire(<Who />, { server });
    expect(server.members('room')).toMatchObject([{ info: { name: 'Me' } }]);
    let bob: ReturnType<typeof server.enter>;
    await view.act(() => {
      bob = server.enter('room', { name: 'Bob' });
    });
    expect(screen.getByTitle('2').textContent).toBe('Me Bob');
    await view.act(() => bob.leave());
    expect(screen.getByTitle('1').textContent).toBe('Me');
  });

  it('page through history', async () => {
    for (let i = 1; i <= 5; i++) server.publish('room', `m${i}`);
    let older: () => unknown = () => {};
    function Past() {
      const { messages, fetchOlder, hasOlder } = useHistory<string>('room', { pageSize: 2 });
      older = fetchOlder;
      return <p title={`${hasOlder}`}>{messages.map(({ data }) => data).join(' ')}</p>;
    }
    const view = await renderWithAnywire(<Past />, { server });
    expect(screen.getByTitle('true').textContent).toBe('m4 m5');
    await view.act(() => older());
    await view.act(() => older());
    await view.act(() => server.publish('room', 'm6'));
    expect(screen.getByTitle('false').textContent).toBe('m1 m2 m3 m4 m5 m6');
  });

  it('show what is not confirmed yet, and what was refused', async () => {
    let publish: (text: string) => Promise<unknown> = async () => {};
    function Chat() {
      const chat = useOptimisticPublish<string>('room');
      publish = chat.publish;
      return (
        <ul>
          {chat.messages.map((message, i) => (
            <li key={message.id ?? i}>
              {String(message.data)}
              {message.pending ? ' …' : ''}
              {message.failed ? ` ${message.failed.code}` : ''}
            </li>
          ))}
        </ul>
      );
    }
    const view = await renderWithAnywire(<Chat />, { server });
    server.hold();
    await view.act(() => void publish('hi').catch(() => {}));
    expect(items()).toEqual(['hi …']);
    await view.act(() => server.release());
    expect(items()).toEqual(['hi']);
    expect(server).toHavePublished('room', 'hi');
    server.fail('publish', { code: 'forbidden' });
    await view.act(() => void publish('no').catch(() => {}));
    expect(items()).toEqual(['hi', 'no forbidden']);
  });

  it('call', async () => {
    server.rpc('sum', (data) => (data as number[]).reduce((a, b) => a + b));
    function Sum() {
      const { call, data } = useRpc<number>('sum');
      const [asked, setAsked] = useState(false);
      useEffect(() => {
        if (!asked) void call([1, 2]);
        setAsked(true);
      }, [asked, call]);
      return <p>{data === undefined ? 'asking' : `is ${data}`}</p>;
    }
    await renderWithAnywire(<Sum />, { server });
    expect(screen.getByText('is 3')).toBeDefined();
  });
});

it('has nothing against a StrictMode of the test’s own', async () => {
  await renderWithAnywire(
    <StrictMode>
      <List />
    </StrictMode>,
    { server, strict: false },
  );
  expect(status()).toBe('live');
  expect(server.connections).toHaveLength(1);
});
