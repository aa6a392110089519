import { act, render } from '@testing-library/react';
import * as React from 'react';
import { Component, type ReactNode, StrictMode } from 'react';
import { describe, expect, it, vi } from 'vitest';
import { AnywireError, type Client, type ClientOptions } from '../../client/src/index';
import { AnywireProvider, useAnywire, useChannel, useConnectionState } from '../src/index';
import { FakeWebSocket, makeClient, network, pass, server, settle, url } from './realtime';

const { Activity } = React as unknown as {
  Activity?: (props: { mode: 'visible' | 'hidden'; children: ReactNode }) => ReactNode;
};

let seen: Client[] = [];
function Show({ channel = null }: { channel?: string | null }) {
  seen.push(useAnywire());
  useChannel(channel);
  return <p>{useConnectionState(({ state }) => state)}</p>;
}
/** Options of a provider whose client lives in the test's surroundings. */
const options = (more: Partial<ClientOptions> = {}): ClientOptions => ({ url, network, ...more });
const last = (): Client => seen.at(-1) as Client;

function show(ui: ReactNode) {
  seen = [];
  return render(ui);
}

describe('a provider with a client', () => {
  it('hands it out, and leaves its life to whoever made it', async () => {
    const client = makeClient();
    const { unmount } = show(
      <AnywireProvider client={client}>
        <Show channel="room" />
      </AnywireProvider>,
    );
    expect(last()).toBe(client);
    await settle();
    unmount();
    await pass(5000);
    expect(client.snapshot.state).toBe('open');
  });

  it('may stand within another; the inner one counts', () => {
    const outer = makeClient();
    const inner = makeClient();
    show(
      <AnywireProvider client={outer}>
        <AnywireProvider client={inner}>
          <Show />
        </AnywireProvider>
      </AnywireProvider>,
    );
    expect(last()).toBe(inner);
  });
});

describe('a provider with options', () => {
  it('makes one client, which connects when a hook needs it', async () => {
    const page = (channel: string | null) => (
      <AnywireProvider {...options()}>
        <Show channel={channel} />
      </AnywireProvider>
    );
    const { container, rerender } = show(page(null));
    await settle();
    expect(container.textContent).toBe('idle');
    expect(FakeWebSocket.all).toHaveLength(0);
    rerender(page('room'));
    await settle();
    expect(container.textContent).toBe('open');
    expect(FakeWebSocket.all).toHaveLength(1);
    expect(new Set(seen).size).toBe(1);
  });

  it('closes it when it is gone for longer than the linger', async () => {
    const { unmount } = show(
      <AnywireProvider {...options()}>
        <Show channel="room" />
      </AnywireProvider>,
    );
    await settle();
    unmount();
    await pass(200);
    expect(last().snapshot.state).toBe('open');
    await pass(100);
    expect(last().snapshot.state).toBe('closed');
  });

  it('lingers as long as it is told to', async () => {
    const { unmount } = show(
      <AnywireProvider {...options({ linger: 1000 })}>
        <Show channel="room" />
      </AnywireProvider>,
    );
    await settle();
    unmount();
    await pass(900);
    expect(last().snapshot.state).toBe('open');
    await pass(200);
    expect(last().snapshot.state).toBe('closed');
  });

  it('leaves one that was never used alone', async () => {
    const { unmount } = show(
      <AnywireProvider {...options()}>
        <Show />
      </AnywireProvider>,
    );
    unmount();
    await pass(1000);
    expect(last().snapshot.state).toBe('idle');
  });

  it('makes one connection in StrictMode', async () => {
    const errors = vi.spyOn(console, 'error');
    const { container, unmount } = show(
      <StrictMode>
        <AnywireProvider {...options()}>
          <Show channel="room" />
        </AnywireProvider>
      </StrictMode>,
    );
    await pass(1000);
    expect(container.textContent).toBe('open');
    expect(FakeWebSocket.all).toHaveLength(1);
    expect(errors).not.toHaveBeenCalled();
    unmount();
    await pass(1000);
  });

  it('keeps it in renders with other objects and functions of the same meaning', async () => {
    const page = (n: number) => (
      <AnywireProvider
        {...options({ token: async () => `token ${n}`, backoff: { min: n } })}
        url={new URL(url)}
      >
        <Show channel="room" />
      </AnywireProvider>
    );
    const { rerender, unmount } = show(page(1));
    await settle();
    rerender(page(2));
    await settle();
    expect(new Set(seen).size).toBe(1);
    unmount();
    await pass(1000);
  });

  it('asks the newest functions for address and token', async () => {
    const page = (n: number) => (
      <AnywireProvider
        {...options({ token: () => `token ${n}` })}
        url={() => `wss://host${n}.test/anywire`}
      >
        <Show channel="room" />
      </AnywireProvider>
    );
    const { rerender, unmount } = show(page(1));
    await settle();
    rerender(page(2));
    act(() => server.last.close(4452));
    await pass(1000);
    expect(FakeWebSocket.all.map((ws) => ws.url)).toEqual([
      'wss://host1.test/anywire',
      'wss://host2.test/anywire',
    ]);
    expect(server.conns.map((conn) => conn.of('connect')[0]?.token)).toEqual([
      'token 1',
      'token 2',
    ]);
    unmount();
    await pass(1000);
  });

  it.each([
    ['url', { url: 'wss://other.test/anywire' }],
    ['token', { token: 'of somebody else' }],
  ])('makes another when the %s changes, and closes the old one', async (_, change) => {
    const page = (more: Partial<ClientOptions>) => (
      <AnywireProvider {...options({ token: 'of somebody', ...more })}>
        <Show channel="room" />
      </AnywireProvider>
    );
    const { rerender, unmount } = show(page({}));
    await settle();
    const first = last();
    rerender(page(change));
    await pass(1000);
    expect(last()).not.toBe(first);
    expect(last().snapshot.state).toBe('open');
    expect(first.snapshot.state).toBe('closed');
    unmount();
    await pass(1000);
  });

  it('gives way to a client, and back', async () => {
    const client = makeClient();
    const page = (given: boolean) => (
      <AnywireProvider {...(given ? { client } : options())}>
        <Show channel="room" />
      </AnywireProvider>
    );
    const { rerender, unmount } = show(page(false));
    await settle();
    const own = last();
    rerender(page(true));
    await pass(1000);
    expect(last()).toBe(client);
    expect(own.snapshot.state).toBe('closed');
    rerender(page(false));
    await settle();
    expect(last()).not.toBe(client);
    unmount();
    await pass(1000);
  });

  it('does not open again what the application has closed', async () => {
    const page = (
      <AnywireProvider {...options()}>
        <Show channel="room" />
      </AnywireProvider>
    );
    const { rerender, unmount } = show(page);
    await settle();
    void last().close();
    rerender(page);
    await pass(5000);
    expect(last().snapshot.state).toBe('closed');
    unmount();
    await pass(1000);
    expect(FakeWebSocket.all).toHaveLength(1);
  });
});

describe.skipIf(!Activity)('a provider in a hidden Activity', () => {
  const Shell = Activity as NonNullable<typeof Activity>;
  const page = (mode: 'visible' | 'hidden') => (
    <Shell mode={mode}>
      <AnywireProvider {...options()}>
        <Show channel="room" />
      </AnywireProvider>
    </Shell>
  );

  it('hidden for a moment keeps its connection', async () => {
    const { rerender, unmount } = show(page('visible'));
    await settle();
    rerender(page('hidden'));
    await pass(100);
    rerender(page('visible'));
    await pass(1000);
    expect(FakeWebSocket.all).toHaveLength(1);
    expect(last().snapshot.state).toBe('open');
    unmount();
    await pass(1000);
  });

  it('hidden for long closes it, and opens it when it is shown again', async () => {
    const { rerender, unmount } = show(page('visible'));
    await settle();
    rerender(page('hidden'));
    await pass(1000);
    expect(last().snapshot.state).toBe('closed');
    rerender(page('visible'));
    await settle();
    expect(last().snapshot.state).toBe('open');
    expect(server.last.subscriptions.has('room')).toBe(true);
    unmount();
    await pass(1000);
  });
});

describe('token', () => {
  const answers = (...all: Response[]) => {
    const send = vi.fn(async (_: string, __: RequestInit) => all.shift() as Response);
    return { send, fetch: send as unknown as typeof fetch };
  };
  const page = (token: string, fetch: typeof globalThis.fetch) => (
    <AnywireProvider {...options({ token, fetch })}>
      <Show channel="room" />
    </AnywireProvider>
  );
  const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });
  const tokens = () => server.conns.map((conn) => conn.of('connect')[0]?.token);
  const finish = async (unmount: () => void) => {
    unmount();
    await pass(1000);
  };

  it.each(['/api/anywire/token', 'https://auth.test/token', 'http://auth.test/token'])(
    '%j is a route that is asked for it',
    async (route) => {
      const { send, fetch } = answers(json({ token: 'fresh', expires: 1 }));
      const { unmount } = show(page(route, fetch));
      await settle();
      const [where, how] = send.mock.calls[0] ?? [];
      expect(where).toBe(route);
      expect(how).toMatchObject({
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"reason":"connect"}',
      });
      // The default of fetch is the page's own origin; a token is for nobody else.
      expect(how).not.toHaveProperty('credentials');
      expect(how?.signal).toBeInstanceOf(AbortSignal);
      expect(tokens()).toEqual(['fresh']);
      await finish(unmount);
    },
  );

  it.each(['eyJhbGciOiJIUzI1NiJ9.e30.x', 'httpster', 'a-b_c'])(
    '%j is the token itself',
    async (t) => {
      const { send, fetch } = answers();
      const { unmount } = show(page(t, fetch));
      await settle();
      expect(send).not.toHaveBeenCalled();
      expect(tokens()).toEqual([t]);
      await finish(unmount);
    },
  );

  it.each(['api/anywire/token', './token', 'a/b', 'localhost:3000/api/token'])(
    '%j is neither, and not sent to anybody',
    async (t) => {
      const { send, fetch } = answers();
      const { container, unmount } = show(page(t, fetch));
      await pass(60_000);
      expect(container.textContent).toBe('failed');
      expect(last().snapshot.error).toMatchObject({ code: 'token', retry: false });
      expect(last().snapshot.error?.message).toBe(
        `"${t}" is no token, and as an address begins with "/"`,
      );
      expect(send).not.toHaveBeenCalled();
      expect(server.conns).toEqual([]);
      await finish(unmount);
    },
  );

  it.each([
    [
      401,
      { code: 'signed_out', message: 'Nobody is signed in' },
      '401: signed_out: Nobody is signed in',
    ],
    [
      403,
      { code: 'foreign_origin', message: 'Only this site' },
      '403: foreign_origin: Only this site',
    ],
    [500, { code: 'token_failed', message: 'No secret' }, '500: token_failed: No secret'],
    [500, 'a page', '500: the answer is no JSON'],
    [200, '<html>', '200: the answer is no JSON'],
    [200, { tocken: 'x' }, '200'],
    [404, null, '404'],
  ])('of a route that answers %i with %j: the error says so', async (status, body, words) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const { fetch } = answers(new Response(text, { status }));
    const { unmount } = show(page('/token', fetch));
    await settle();
    expect(last().snapshot.error).toMatchObject({
      code: 'token',
      message: `no token from /token: ${words}`,
      retry: status !== 401 && status !== 403,
    });
    await finish(unmount);
  });

  it.each([401, 403])(
    'of a route that answers %i ends in failed, without a storm',
    async (status) => {
      const { send, fetch } = answers(json({}, status), json({}, status));
      const { container, unmount } = show(page('/token', fetch));
      await pass(60_000);
      expect(container.textContent).toBe('failed');
      expect(last().snapshot.error?.code).toBe('token');
      expect(send).toHaveBeenCalledTimes(1);
      await finish(unmount);
    },
  );

  it.each([
    ['is broken', () => json({}, 500)],
    ['is not there', () => json({}, 404)],
    ['talks of something else', () => json({ tocken: 'x' })],
    ['answers with a page', () => new Response('<html>')],
  ])('of a route that %s is asked for again, ever more slowly', async (_, answer) => {
    const { send, fetch } = answers(...Array.from({ length: 30 }, answer));
    const { container, unmount } = show(page('/token', fetch));
    await pass(200);
    expect(['waiting', 'connecting']).toContain(container.textContent);
    expect(last().snapshot.error).toMatchObject({ code: 'token', retry: true });
    await pass(30_000);
    expect(send.mock.calls.length).toBeGreaterThan(3);
    expect(send.mock.calls.length).toBeLessThan(12);
    send.mockImplementation(async () => json({ token: 'at last' }));
    await pass(30_000);
    expect(container.textContent).toBe('open');
    expect(tokens()).toEqual(['at last']);
    await finish(unmount);
  });

  it('that was denied is replaced, and the route is told why', async () => {
    const { send, fetch } = answers(json({ token: 'old' }), json({ token: 'new' }));
    server.judge = (token) => (token === 'old' ? 4451 : undefined);
    const { unmount } = show(page('/token', fetch));
    await pass(1000);
    expect(send.mock.calls.map(([, { body }]) => body)).toEqual([
      '{"reason":"connect"}',
      '{"reason":"denied"}',
    ]);
    expect(last().snapshot.state).toBe('open');
    await finish(unmount);
  });

  it('that is about to end is renewed without another connection', async () => {
    const { send, fetch } = answers(json({ token: 'first' }), json({ token: 'second' }));
    const { unmount } = show(page('/token', fetch));
    await settle();
    server.last.say({ type: 'expiring', expires: Date.now() + 30_000 });
    await settle();
    expect(send.mock.calls[1]?.[1].body).toBe('{"reason":"refresh"}');
    expect(server.last.of('auth')).toMatchObject([{ token: 'second' }]);
    expect(server.conns).toHaveLength(1);
    await finish(unmount);
  });

  it('comes from the fetch of the page, unless another one is given', async () => {
    const { send, fetch } = answers(json({ token: 'global' }));
    vi.stubGlobal('fetch', fetch);
    const { unmount } = show(
      <AnywireProvider {...options({ token: '/token' })}>
        <Show channel="room" />
      </AnywireProvider>,
    );
    await settle();
    expect(send).toHaveBeenCalledTimes(1);
    expect(tokens()).toEqual(['global']);
    await finish(unmount);
  });
});

describe('without a provider', () => {
  class Catch extends Component<{ children: ReactNode }, { error?: Error }> {
    override state: { error?: Error } = {};
    static getDerivedStateFromError(error: Error) {
      return { error };
    }
    override render() {
      const { error } = this.state;
      if (!(error instanceof AnywireError)) return this.props.children;
      return `${error.code}: ${error.message}`;
    }
  }

  it('a hook says what is missing', () => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    // React 18 shows it by an event, which the page would print.
    const quiet = (event: Event) => event.preventDefault();
    window.addEventListener('error', quiet);
    const { container } = show(
      <Catch>
        <Show />
      </Catch>,
    );
    expect(container.textContent).toBe(
      'no_provider: There is no <AnywireProvider> above this component',
    );
    window.removeEventListener('error', quiet);
  });
});
