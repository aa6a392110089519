import { act, render } from '@testing-library/react';
import * as React from 'react';
import { StrictMode } from 'react';
import { hydrateRoot, type Root } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { AnywireDevtools } from '../../src/devtools';
import { AnywireProvider, useChannel } from '../../src/index';
import { FakeWebSocket, makeClient, pass, publish, settle, url } from '../realtime';
import { choose, fact, find, get, hosts, press, rows, shadow } from './page';

const { Activity } = React as {
  Activity?: (props: {
    mode: 'visible' | 'hidden';
    children: React.ReactNode;
  }) => React.ReactElement;
};

afterEach(() => expect(hosts()).toHaveLength(0));

function Room() {
  return <p>{useChannel('room').status}</p>;
}

describe('the component', () => {
  it.each([false, true])('is on the page once, and goes with it; strict: %s', async (strict) => {
    const client = makeClient();
    const tree = <AnywireDevtools client={client} />;
    const { container, unmount } = render(strict ? <StrictMode>{tree}</StrictMode> : tree);
    expect(hosts()).toHaveLength(1);
    expect(container.innerHTML).toBe('');
    unmount();
    expect(hosts()).toHaveLength(0);
  });

  it('opens no connection', async () => {
    const { unmount } = render(
      <AnywireProvider url={url}>
        <AnywireDevtools />
      </AnywireProvider>,
    );
    await settle();
    expect(FakeWebSocket.all).toHaveLength(0);
    expect(get('.launch').dataset.state).toBe('idle');
    unmount();
  });

  it('looks at the client of the nearest provider, from the first frame on', async () => {
    const { unmount } = render(
      <StrictMode>
        <AnywireProvider url={url}>
          <Room />
          <AnywireDevtools />
        </AnywireProvider>
      </StrictMode>,
    );
    await settle();
    await settle();
    await press('Anywire devtools: open');
    expect(rows().filter((row) => /connect$|subscribe/.test(row))).toEqual([
      '↑ connect',
      '↑ subscribe room',
      '↓ subscribed room',
    ]);
    unmount();
  });

  it('looks at the new client when the provider has another', async () => {
    const page = (where: string) => (
      <AnywireProvider url={where}>
        <Room />
        <AnywireDevtools />
      </AnywireProvider>
    );
    const { rerender, unmount } = render(page(url));
    await settle();
    await settle();
    await press('Anywire devtools: open');
    expect(fact('Server')).toBe('anywire.test/anywire');
    rerender(page('wss://other.test/anywire'));
    await settle();
    await settle();
    await pass(500);
    expect(fact('Server')).toBe('other.test/anywire');
    expect(get('.pill').textContent).toBe('open');
    unmount();
  });

  it('says what is missing where there is no provider', () => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    const quiet = (event: ErrorEvent) => event.preventDefault();
    window.addEventListener('error', quiet);
    expect(() => render(<AnywireDevtools />)).toThrow('AnywireProvider');
    window.removeEventListener('error', quiet);
  });

  it('keeps its frames, and the choice to be open, when it is mounted anew', async () => {
    const client = makeClient();
    const first = render(<AnywireDevtools client={client} />);
    void client.connect();
    await settle();
    await settle();
    await press('Anywire devtools');
    const before = rows();
    expect(before).toContain('↑ connect');
    first.unmount();
    const second = render(<AnywireDevtools client={client} />);
    await settle();
    expect(find('[role=dialog]')).toBeDefined();
    expect(rows()).toEqual(before);
    await press('Close devtools');
    second.unmount();
    const third = render(<AnywireDevtools client={client} />);
    expect(find('[role=dialog]')).toBeUndefined();
    third.unmount();
  });

  it('does without storage', async () => {
    vi.spyOn(Storage.prototype, 'getItem').mockImplementation(() => {
      throw new DOMException('denied');
    });
    vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
      throw new DOMException('denied');
    });
    const { unmount } = render(<AnywireDevtools client={makeClient()} />);
    await press('Anywire devtools');
    expect(find('[role=dialog]')).toBeDefined();
    unmount();
  });

  it('gives the network back when it goes', async () => {
    const client = makeClient();
    const { unmount } = render(<AnywireDevtools client={client} />);
    void client.connect();
    await settle();
    await settle();
    await press('Anywire devtools');
    await press('Offline');
    expect(client.state).toBe('offline');
    unmount();
    await pass(3000);
    expect(client.state).toBe('open');
  });

  it('goes where it is told, and looks as it is told', async () => {
    const client = makeClient();
    const { rerender, unmount } = render(<AnywireDevtools client={client} />);
    const root = () => get('.root').dataset.at;
    const theme = () => (hosts()[0] as HTMLElement).dataset.theme;
    expect([root(), theme()]).toEqual(['bottom-right', 'auto']);
    await press('Anywire devtools');
    rerender(<AnywireDevtools client={client} position="top-left" theme="dark" />);
    expect([root(), theme()]).toEqual(['top-left', 'dark']);
    expect(find('[role=dialog]')).toBeDefined();
    unmount();
  });

  it.skipIf(!Activity)('leaves with a hidden Activity, and comes back with it', async () => {
    if (!Activity) return;
    const client = makeClient();
    const Hidden = Activity;
    const page = (mode: 'visible' | 'hidden') => (
      <Hidden mode={mode}>
        <AnywireDevtools client={client} />
      </Hidden>
    );
    const { rerender, unmount } = render(page('visible'));
    expect(hosts()).toHaveLength(1);
    rerender(page('hidden'));
    expect(hosts()).toHaveLength(0);
    rerender(page('visible'));
    expect(hosts()).toHaveLength(1);
    expect(get('.launch').dataset.state).toBe('idle');
    unmount();
  });
});

describe('styles', () => {
  it('are an element with the nonce of the page where there are no adopted sheets', async () => {
    const { unmount } = render(<AnywireDevtools client={makeClient()} nonce="abc" />);
    expect(shadow().querySelector('style')?.nonce).toBe('abc');
    unmount();
  });

  it('are adopted where that is possible', async () => {
    const sheets = new WeakMap<object, string>();
    class Sheet {
      replaceSync(text: string): void {
        sheets.set(this, text);
      }
    }
    vi.stubGlobal('CSSStyleSheet', Sheet);
    const adopted: object[] = [];
    Object.defineProperty(ShadowRoot.prototype, 'adoptedStyleSheets', {
      configurable: true,
      set: (list: object[]) => adopted.push(...list),
    });
    const { unmount } = render(<AnywireDevtools client={makeClient()} />);
    expect(shadow().querySelector('style')).toBeNull();
    expect(adopted.map((sheet) => sheets.get(sheet))).toEqual([
      expect.stringContaining('.launch{'),
    ]);
    expect(shadow().querySelector('[style]')).toBeNull();
    unmount();
    Reflect.deleteProperty(ShadowRoot.prototype, 'adoptedStyleSheets');
  });
});

describe('several clients', () => {
  it('are chosen from by name, each with its own past', async () => {
    const clients = { chat: makeClient(), prices: makeClient() };
    const { rerender, unmount } = render(<AnywireDevtools clients={clients} />);
    clients.chat.channel('room').subscribe(() => {});
    await settle();
    await settle();
    await press('Anywire devtools: open');
    expect([...get<HTMLSelectElement>('[aria-label=Client]').options].map((o) => o.value)).toEqual([
      'chat',
      'prices',
    ]);
    expect(rows()).toContain('↑ subscribe room');
    await choose('Client', 'prices');
    expect(rows()).toEqual([]);
    expect(get('.pill').textContent).toBe('idle');
    // Another object with the same clients changes nothing.
    rerender(<AnywireDevtools clients={{ ...clients }} />);
    expect(get<HTMLSelectElement>('[aria-label=Client]').value).toBe('prices');
    await choose('Client', 'chat');
    await publish('room', 1);
    expect(rows()).toContain('↓ message room');
    rerender(<AnywireDevtools clients={{ prices: clients.prices }} />);
    expect(get('.pill').textContent).toBe('idle');
    expect(find('[aria-label=Client]')).toBeUndefined();
    rerender(<AnywireDevtools clients={{}} />);
    expect(find('.root')).toBeUndefined();
    unmount();
  });
});

describe('a page from the server', () => {
  it('has no trace of them, and is hydrated without a complaint', async () => {
    const error = vi.spyOn(console, 'error');
    const page = (
      <StrictMode>
        <AnywireProvider url={url}>
          <p>page</p>
          <AnywireDevtools />
        </AnywireProvider>
      </StrictMode>
    );
    const timers = vi.getTimerCount();
    const html = renderToString(page);
    expect(html).toBe('<p>page</p>');
    expect(vi.getTimerCount()).toBe(timers);
    const container = document.createElement('div');
    container.innerHTML = html;
    let root: Root | undefined;
    act(() => {
      root = hydrateRoot(container, page);
    });
    expect(container.innerHTML).toBe('<p>page</p>');
    expect(hosts()).toHaveLength(1);
    expect(error).not.toHaveBeenCalled();
    act(() => root?.unmount());
  });
});
