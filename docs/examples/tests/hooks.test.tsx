// Every example of docs/react does on a page what the text beside it says.
import { createMockServer } from '@anywire/testing';
import { renderWithAnywire } from '@anywire/testing/react';
import { fireEvent, screen, waitFor } from '@testing-library/react';
import { renderToString } from 'react-dom/server';
import { describe, expect, it, vi } from 'vitest';
import { Providers } from '../anywire-provider';
import { rt } from '../contract';
import { Providers as WithDevtools } from '../devtools';
import { LogPage } from '../suspense';
import { SignOut } from '../use-anywire';
import { Room } from '../use-channel';
import { Sparkline } from '../use-channel-event';
import { ReconnectBanner } from '../use-connection-state';
import { Log } from '../use-history';
import { Price } from '../use-latest';
import { Chat } from '../use-optimistic-publish';
import { WhoIsHere } from '../use-presence';
import { Adder } from '../use-rpc';

const items = () => screen.queryAllByRole('listitem').map((item) => item.textContent);

describe('useChannel', () => {
  it('shows what arrives, and publishes', async () => {
    const server = createMockServer(rt);
    await renderWithAnywire(<Room id="42" />, { server });
    expect(screen.getByRole('status').textContent).toBe('live');
    fireEvent.click(screen.getByText('Say hello'));
    await waitFor(() => expect(items()).toEqual(['hello']));
    expect(server).toHavePublished('room:42', { text: 'hello' });
  });

  it('shows a message that the contract refuses as an error, and lives', async () => {
    const server = createMockServer();
    const { act } = await renderWithAnywire(<Room id="42" />, { server });
    await act(() => server.publish('room:42', { text: 7 }));
    expect((await screen.findByRole('alert')).textContent).not.toBe('');
    await act(() => server.publish('room:42', { text: 'fine' }));
    await waitFor(() => expect(items()).toEqual(['fine']));
  });

  it('says that messages are missing', async () => {
    const server = createMockServer(rt);
    const { act } = await renderWithAnywire(<Room id="42" />, { server });
    await act(() => server.publish('room:42', { text: 'one' }));
    await act(() => server.gap('room:42'));
    expect(await screen.findByText('Some messages are missing.')).toBeDefined();
  });
});

describe('useChannelEvent', () => {
  it('draws every tick and renders nothing', async () => {
    const fillRect = vi.fn();
    vi.spyOn(HTMLCanvasElement.prototype, 'getContext').mockReturnValue({ fillRect } as never);
    const server = createMockServer(rt);
    const { act } = await renderWithAnywire(<Sparkline symbol="ACME" />, { server });
    await act(() => {
      for (let price = 0; price < 100; price++) server.publish('ticker:ACME', { price });
    });
    expect(fillRect.mock.calls.map(([, y]) => y)).toEqual(
      Array.from({ length: 100 }, (_, price) => 150 - price),
    );
  });
});

describe('useLatest', () => {
  it('shows the newest value', async () => {
    const server = createMockServer(rt);
    const { act } = await renderWithAnywire(<Price symbol="ACME" />, { server });
    expect(screen.getByText('…')).toBeDefined();
    await act(() => {
      server.publish('ticker:ACME', { price: 1.4 });
      server.publish('ticker:ACME', { price: 2.6 });
    });
    expect(await screen.findByText('ACME 3')).toBeDefined();
  });
});

describe('usePresence', () => {
  it('shows others, and that somebody types', async () => {
    const server = createMockServer(rt);
    const { act } = await renderWithAnywire(<WhoIsHere id="42" name="Ann" />, { server });
    expect(server).toHaveMember('room:42', { info: { name: 'Ann' } });
    await act(() => server.enter('room:42', { name: 'Bob', typing: true }));
    await waitFor(() => expect(items()).toEqual(['Bob is typing…']));
    expect(screen.getByText('2 here')).toBeDefined();
  });

  it('tells others that we type', async () => {
    const server = createMockServer(rt);
    const { settled } = await renderWithAnywire(<WhoIsHere id="42" name="Ann" />, { server });
    fireEvent.change(screen.getByLabelText('Message'), { target: { value: 'h' } });
    await settled();
    expect(server).toHaveMember('room:42', { info: { name: 'Ann', typing: true } });
  });
});

describe('useHistory', () => {
  it('shows the newest page, and older ones on demand', async () => {
    const server = createMockServer(rt);
    for (let n = 1; n <= 50; n++) server.publish('room:42', { text: `${n}` });
    const { act } = await renderWithAnywire(<Log id="42" />, { server });
    await waitFor(() => expect(items()).toHaveLength(20));
    expect(items()[0]).toBe('31');
    await act(() => fireEvent.click(screen.getByText('Older messages')));
    await waitFor(() => expect(items()).toHaveLength(40));
    await act(() => fireEvent.click(screen.getByText('Older messages')));
    await waitFor(() => expect(items()).toHaveLength(50));
    expect(screen.queryByText('Older messages')).toBeNull();
    await act(() => server.publish('room:42', { text: '51' }));
    await waitFor(() => expect(items().at(-1)).toBe('51'));
    expect(items().map(Number)).toEqual(Array.from({ length: 51 }, (_, i) => i + 1));
  });
});

describe('useOptimisticPublish', () => {
  const type = (text: string) => {
    const input = screen.getByLabelText('Message');
    fireEvent.change(input, { target: { value: text } });
    fireEvent.submit(input.closest('form') as HTMLFormElement);
  };

  it('shows a message before the server has it, and once after', async () => {
    const server = createMockServer(rt);
    const { act } = await renderWithAnywire(<Chat id="42" />, { server });
    server.hold();
    await act(() => type('hello'));
    expect(screen.getByRole('listitem').getAttribute('aria-busy')).toBe('true');
    await act(() => server.release());
    await waitFor(() =>
      expect(screen.getByRole('listitem').getAttribute('aria-busy')).toBe('false'),
    );
    expect(items()).toEqual(['hello']);
  });

  it('keeps a message that was refused, and sends it again on demand', async () => {
    const server = createMockServer(rt);
    const { act } = await renderWithAnywire(<Chat id="42" />, { server });
    server.fail('publish', { code: 'forbidden', message: 'Not you' });
    await act(() => type('hello'));
    expect((await screen.findByText(/not sent/)).textContent).toContain('Not you');
    await act(() => fireEvent.click(screen.getByText('Try again')));
    await waitFor(() => expect(screen.queryByText('Try again')).toBeNull());
    expect(items()).toEqual(['hello']);
    expect(server.messages('room:42')).toHaveLength(1);
  });

  it('forgets what is discarded', async () => {
    const server = createMockServer(rt);
    const { act } = await renderWithAnywire(<Chat id="42" />, { server });
    server.fail('publish', { code: 'forbidden' });
    await act(() => type('hello'));
    await act(async () => fireEvent.click(await screen.findByText('Discard')));
    await waitFor(() => expect(items()).toEqual([]));
  });
});

describe('useRpc', () => {
  it('shows the result', async () => {
    const server = createMockServer(rt);
    server.rpc('math.add', ([a, b]) => a + b);
    const { act } = await renderWithAnywire(<Adder />, { server });
    await act(() => fireEvent.click(screen.getByText('1 + 2')));
    expect((await screen.findByText('3')).tagName).toBe('OUTPUT');
  });

  it('shows why there is none', async () => {
    const server = createMockServer(rt);
    const { act } = await renderWithAnywire(<Adder />, { server });
    await act(() => fireEvent.click(screen.getByText('1 + 2')));
    expect((await screen.findByText(/^no_handler: /)).tagName).toBe('OUTPUT');
  });
});

describe('useConnectionState', () => {
  it('shows a banner while the connection is away, and tries at once when asked to', async () => {
    const server = createMockServer(rt);
    const client = server.createClient({ backoff: { min: 60_000, jitter: 'none' } });
    const { act } = await renderWithAnywire(<ReconnectBanner />, { server, client });
    await act(() => client.connect());
    expect(screen.queryByRole('status')).toBeNull();
    await act(() => server.drop());
    expect((await screen.findByRole('status')).textContent).toContain('Reconnecting');
    await act(() => fireEvent.click(screen.getByText('Try now')));
    await waitFor(() => expect(screen.queryByRole('status')).toBeNull());
  });
});

describe('useAnywire', () => {
  it('closes the client when somebody signs out', async () => {
    const posted = vi.fn(async () => new Response());
    vi.stubGlobal('fetch', posted);
    const done = vi.fn();
    const server = createMockServer(rt);
    const { act, client } = await renderWithAnywire(<SignOut onDone={done} />, { server });
    await act(() => fireEvent.click(screen.getByText('Sign out')));
    await waitFor(() => expect(done).toHaveBeenCalledOnce());
    expect(client.state).toBe('closed');
    expect(posted).toHaveBeenCalledWith('/api/sign-out', { method: 'POST' });
    vi.unstubAllGlobals();
  });
});

describe('suspense', () => {
  it('shows the fallback until the messages are there', async () => {
    const server = createMockServer(rt);
    server.publish('room:42', { text: 'hello' });
    server.hold('answers');
    const { act } = await renderWithAnywire(<LogPage id="42" />, { server });
    expect(screen.getByText('Loading…')).toBeDefined();
    await act(() => server.release());
    expect(await screen.findByText('1 messages')).toBeDefined();
  });
});

describe('providers', () => {
  it.each([
    ['AnywireProvider', Providers],
    ['with devtools', WithDevtools],
  ])('%s renders on a server without connecting', (_, Provider) => {
    const html = renderToString(
      <Provider>
        <p>page</p>
      </Provider>,
    );
    expect(html).toContain('<p>page</p>');
  });
});
