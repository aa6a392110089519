import { act, fireEvent, render } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';
import type { Client, ClientOptions } from '../../../client/src/index';
import { AnywireDevtools } from '../../src/devtools';
import { cut, makeClient, pass, publish, server, settle } from '../realtime';
import { all, button, choose, fact, find, get, key, press, rows, shadow } from './page';

async function opened(options: Partial<ClientOptions> = {}): Promise<Client> {
  const client = makeClient(options);
  render(<AnywireDevtools client={client} />);
  client.channel('room').subscribe(() => {});
  await settle();
  await settle();
  await press('Anywire devtools');
  return client;
}

describe('the button', () => {
  it('says how the connection is, in words and in colour', async () => {
    const client = makeClient();
    render(<AnywireDevtools client={client} />);
    const launch = get('.launch');
    expect(launch.getAttribute('aria-label')).toBe('Anywire devtools: idle');
    expect(launch.dataset.state).toBe('idle');
    void client.connect();
    await settle();
    await settle();
    expect(launch.getAttribute('aria-label')).toBe('Anywire devtools: open');
    expect(launch.dataset.state).toBe('open');
  });

  it('counts errors', async () => {
    const client = makeClient();
    render(<AnywireDevtools client={client} />);
    void client.connect();
    await settle();
    expect(find('.count')).toBeUndefined();
    await act(async () => server.last.say({ type: 'error', code: 'overloaded', message: 'x' }));
    await settle();
    expect(get('.count').textContent).toBe('1');
    expect(button('Anywire devtools: open, errors: 1')).toBeDefined();
    await act(async () => {
      for (let i = 0; i < 200; i++) server.last.say({ type: 'error', code: 'c', message: 'x' });
    });
    await pass(500);
    expect(get('.count').textContent).toBe('99+');
  });

  it('opens the panel and gives it the focus; closing gives it back', async () => {
    await opened();
    expect(find('.launch')).toBeUndefined();
    expect(shadow().activeElement).toBe(get('[role=dialog]'));
    await press('Close devtools');
    expect(find('[role=dialog]')).toBeUndefined();
    expect(shadow().activeElement).toBe(get('.launch'));
    await press('Anywire devtools');
    await key(get('[role=dialog]'), 'Escape');
    expect(find('[role=dialog]')).toBeUndefined();
    expect(shadow().activeElement).toBe(get('.launch'));
  });
});

describe('the panel', () => {
  it('keeps its keys from the page', async () => {
    const shortcut = vi.fn();
    document.addEventListener('keydown', shortcut);
    await opened();
    await key(get('[aria-label="Search in frames"]'), 'k');
    expect(shortcut).not.toHaveBeenCalled();
    document.removeEventListener('keydown', shortcut);
  });

  it('costs no timer while it is closed', async () => {
    await opened();
    const during = vi.getTimerCount();
    await press('Close devtools');
    expect(vi.getTimerCount()).toBe(during - 1);
  });

  it('shows the connection, live', async () => {
    server.greeting = { user: 'ann', expires: Date.now() + 245_500 };
    await opened();
    expect(get('.pill').textContent).toBe('open');
    expect(fact('Transport')).toBe('websocket');
    expect(fact('Server')).toBe('anywire.test/anywire');
    expect(fact('Client')).toBe('c1');
    expect(fact('User')).toBe('ann');
    expect(fact('Token ends')).toMatch(/^in 4 min 05 s$/);
    expect(fact('Opened')).toBe('1 time');
    expect(fact('Link')).toMatch(/^up for \d+ ms$/);
    await pass(3000);
    expect(fact('Link')).toMatch(/^up for 3\.\d s$/);
    await cut(1012, 'restart');
    expect(get('.pill').textContent).toBe('waiting');
    expect(fact('Link')).toMatch(/^next try in \d+ ms$/);
    expect(fact('Last close')).toBe('1012 restart');
    expect(fact('Transport')).toBe('–');
    await pass(2000);
    expect(fact('Opened')).toBe('2 times');
  });

  it('shows the channels in use', async () => {
    const client = await opened();
    await publish('room', 1, 2);
    const channel = () => all('.channels li').map(({ textContent }) => textContent);
    expect(channel()).toEqual(['room#2live · 2 messages']);
    server.script = (conn, { id, type }) => {
      if (type !== 'subscribe') return false;
      conn.say({ type: 'error', id, code: 'forbidden', message: 'no' });
      return true;
    };
    client.channel('hall').subscribe(() => {});
    await settle();
    await settle();
    expect(channel()).toEqual(['room#2live · 2 messages', 'hallrefused: forbidden']);
    expect(all('.channels li').map(({ dataset }) => dataset.state)).toEqual(['open', 'failed']);
  });

  it('says that there are none', async () => {
    render(<AnywireDevtools client={makeClient()} />);
    await press('Anywire devtools');
    expect(get('.none').textContent).toBe('None in use.');
    expect(get('.empty').textContent).toBe('No frames yet.');
  });

  it('counts what waits, is lost and dropped', async () => {
    await opened();
    const tiles = () => all('.tile').map(({ textContent }) => textContent);
    expect(tiles()).toEqual(['0waiting', '0lost', '0dropped']);
    await act(async () => {
      const gap = { type: 'gap', channel: 'room', from: 1, to: 8, reason: 'slow' };
      server.last.say({ ...gap, epoch: 'e1', offset: 8 });
    });
    await settle();
    expect(tiles()).toEqual(['0waiting', '8lost', '0dropped']);
    expect(all('.tile').map((tile) => tile.hasAttribute('data-bad'))).toEqual([false, true, false]);
  });

  it('has buttons that take the network away, and give it back', async () => {
    const client = await opened();
    const offline = button('Offline');
    expect(offline.getAttribute('aria-pressed')).toBe('false');
    await press('Offline');
    expect(offline.getAttribute('aria-pressed')).toBe('true');
    expect(client.state).toBe('offline');
    expect(button('Kill link').disabled).toBe(true);
    await press('Offline');
    await pass(1000);
    expect(client.state).toBe('open');
    await press('Kill link');
    expect(client.state).not.toBe('open');
    await press('Reconnect');
    await settle();
    expect(client.state).toBe('open');
  });
});

describe('the timeline', () => {
  it('shows every frame, the newest last', async () => {
    await opened();
    await publish('room', { text: 'hi' });
    expect(rows()).toEqual([
      '• connecting',
      '↑ connect',
      '↑ subscribe room',
      '↓ connected',
      '• open',
      '↓ subscribed room',
      '↓ message room',
    ]);
    expect(all('.row .text').at(-1)?.textContent).toContain('{"data":{"text":"hi"}');
  });

  it('never has more than 500 rows, however many come', async () => {
    await opened();
    for (let i = 0; i < 5; i++) await publish('room', ...Array.from({ length: 400 }, () => i));
    await pass(500);
    expect(all('.row')).toHaveLength(500);
    expect(new Set(all('.row').map(({ id }) => id)).size).toBe(500);
  });

  it('makes rows only of what is in view, and stays at its end until it is scrolled', async () => {
    vi.spyOn(Element.prototype, 'clientHeight', 'get').mockReturnValue(220);
    vi.spyOn(Element.prototype, 'scrollHeight', 'get').mockImplementation(function (this: Element) {
      return Number.parseInt((this.firstElementChild as HTMLElement).style.height, 10);
    });
    await opened();
    const list = get('[role=listbox]');
    const newest = () => all('.row .text').at(-1)?.textContent;
    await publish('room', ...Array.from({ length: 300 }, (_, i) => i));
    await pass(200);
    expect(all('.row').length).toBeLessThanOrEqual(30);
    expect(newest()).toContain('{"data":299');
    act(() => {
      list.scrollTop = 0;
      list.dispatchEvent(new Event('scroll'));
    });
    expect(rows()[0]).toBe('• connecting');
    await publish('room', 300);
    await pass(200);
    expect(rows()[0]).toBe('• connecting');
    expect(all('.row').length).toBeLessThanOrEqual(30);
    await key(list, 'End');
    expect(newest()).toContain('{"data":300');
    expect(list.scrollTop).toBe(307 * 22 - 220);
    await key(list, 'Home');
    expect(list.scrollTop).toBe(0);
    expect(all('.row[aria-selected=true] .type')[0]?.textContent).toBe('connecting');
  });

  it('is filtered by direction, type, channel and text', async () => {
    const client = await opened();
    client.channel('hall').subscribe(() => {});
    await publish('room', 'apple', 'pear');
    await settle();
    await choose('Direction', 'out');
    expect(rows()).toEqual(['↑ connect', '↑ subscribe room', '↑ subscribe hall']);
    await choose('Channel', 'hall');
    expect(rows()).toEqual(['↑ subscribe hall']);
    await choose('Channel', '');
    await choose('Direction', '');
    await choose('Type', 'message');
    expect(rows()).toEqual(['↓ message room', '↓ message room']);
    await choose('Search in frames', 'APPLE');
    expect(rows()).toEqual(['↓ message room']);
    await choose('Search in frames', 'plum');
    expect(rows()).toEqual([]);
    expect(get('.empty').textContent).toBe('No frame passes the filter.');
  });

  it('keeps a choice whose value occurs no more', async () => {
    await opened();
    await choose('Type', 'connect');
    expect(rows()).toEqual(['↑ connect']);
    await press('Clear');
    expect(get<HTMLSelectElement>('[aria-label=Type]').value).toBe('connect');
    await choose('Type', '');
    await publish('room', 1);
    expect(rows()).toEqual(['↓ message room']);
  });

  it('stands still while it is paused, and counts what is new', async () => {
    await opened();
    const before = rows();
    await press('Pause');
    await publish('room', 1, 2, 3);
    expect(rows()).toEqual(before);
    expect(button('Go on').textContent).toBe('Go on (3 new)');
    expect(button('Go on').getAttribute('aria-pressed')).toBe('true');
    await press('Go on');
    expect(rows()).toHaveLength(before.length + 3);
    expect(button('Pause').getAttribute('aria-pressed')).toBe('false');
  });

  it('is cleared, also while it is paused', async () => {
    await opened();
    await press('Clear');
    expect(rows()).toEqual([]);
    await publish('room', 1);
    await press('Pause');
    await press('Clear');
    expect(rows()).toEqual([]);
    await publish('room', 2);
    expect(rows()).toEqual([]);
    await press('Go on');
    expect(rows()).toEqual(['↓ message room']);
  });

  it('marks errors and gaps', async () => {
    await opened();
    await act(async () => server.last.say({ type: 'error', code: 'c', message: 'x' }));
    await settle();
    expect(all('.row[data-bad] .type').map(({ textContent }) => textContent)).toEqual(['error']);
  });
});

describe('a frame', () => {
  it('is shown in full by a click, and closed again', async () => {
    await opened();
    await publish('room', { text: 'hi', n: 1 });
    act(() => void fireEvent.click(all('.row').at(-1) as Element));
    expect(get('pre').textContent).toMatch(/^\{\n {2}"type": "message",[\s\S]*"text": "hi"/);
    expect(get('.detail header span').textContent).toMatch(/^message, received .* · websocket/);
    expect(all('.row[aria-selected=true]')).toHaveLength(1);
    await press('Close frame');
    expect(find('.detail')).toBeUndefined();
    expect(all('.row[aria-selected=true]')).toHaveLength(0);
  });

  it('is chosen with the keyboard', async () => {
    await opened();
    const list = get('[role=listbox]');
    const chosen = () =>
      all('.row[aria-selected=true]').map((row) => row.querySelector('.type')?.textContent);
    await key(list, 'ArrowUp');
    expect(chosen()).toEqual(['subscribed']);
    await key(list, 'ArrowUp');
    expect(chosen()).toEqual(['open']);
    await key(list, 'Home');
    expect(chosen()).toEqual(['connecting']);
    await key(list, 'ArrowUp');
    expect(chosen()).toEqual(['connecting']);
    await key(list, 'ArrowDown');
    expect(chosen()).toEqual(['connect']);
    await key(list, 'End');
    await key(list, 'ArrowDown');
    expect(chosen()).toEqual(['subscribed']);
    expect(list.getAttribute('aria-activedescendant')).toBe(all('.row[aria-selected=true]')[0]?.id);
    await key(list, 'Escape');
    expect(find('.detail')).toBeUndefined();
    expect(find('[role=dialog]')).toBeDefined();
    await key(list, 'Escape');
    expect(find('[role=dialog]')).toBeUndefined();
  });

  it('stays open when it has left the timeline', async () => {
    await opened();
    await publish('room', 'first');
    act(() => void fireEvent.click(all('.row').at(-1) as Element));
    for (let i = 0; i < 4; i++) await publish('room', ...Array.from({ length: 300 }, () => i));
    await pass(500);
    expect(get('pre').textContent).toContain('first');
    await press('Close frame');
    expect(find('.detail')).toBeUndefined();
  });

  it('is copied without what is secret', async () => {
    const written: string[] = [];
    const clipboard = { writeText: async (text: string) => void written.push(text) };
    vi.stubGlobal('navigator', { clipboard });
    await opened({ token: 'eyJsecret' });
    act(() => void fireEvent.click(all('.row')[1] as Element));
    await press('Copy');
    expect(written).toHaveLength(1);
    expect(written[0]).toContain('"type": "connect"');
    expect(written[0]).not.toContain('eyJsecret');
    expect(button('Copied')).toBeDefined();
  });

  it('that may not be copied says so', async () => {
    vi.stubGlobal('navigator', {});
    await opened();
    act(() => void fireEvent.click(all('.row')[1] as Element));
    await press('Copy');
    expect(button('Not allowed')).toBeDefined();
  });

  it.each<[string, unknown]>([
    ['huge', 'x'.repeat(500_000)],
    ['markup', '<img src=x onerror="boom()"><script>boom()</script>'],
    ['deep', JSON.parse(`${'['.repeat(60)}${']'.repeat(60)}`)],
    ['wide', Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [i, i]))],
    ['odd names', { __proto__: null, constructor: 1, toString: 'x', '': 2 }],
    ['nothing', null],
  ])('may hold anything: %s', async (_, data) => {
    await opened();
    await publish('room', data);
    act(() => void fireEvent.click(all('.row').at(-1) as Element));
    expect(get('pre').textContent?.length).toBeLessThan(25_000);
    expect(get('pre').querySelector('img,script')).toBeNull();
  });
});

describe('the errors', () => {
  it('are listed with code and advice, the newest first', async () => {
    await opened();
    await act(async () => {
      server.last.say({ type: 'error', code: 'overloaded', message: 'one', channel: 'room' });
      server.last.say({ type: 'error', code: 'closed', message: 'two' });
      server.last.say({ type: 'error', code: 'closed', message: 'two' });
    });
    await settle();
    const tab = get('#tab-1');
    expect(tab.textContent).toBe('Errors (3)');
    act(() => void fireEvent.click(tab));
    const [first, second] = all('.problems li');
    expect(first?.querySelector('.code')?.textContent).toBe('closed ×2');
    expect(first?.querySelector('.said')?.textContent).toBe('two');
    expect(first?.querySelector('.advice')?.textContent).not.toBe('');
    expect(second?.querySelector('.code')?.textContent).toBe('overloaded');
    expect(second?.querySelector('.channel')?.textContent).toBe('room');
    await press('Clear errors');
    expect(tab.textContent).toBe('Errors');
    expect(get('.empty').textContent).toBe('Nothing has gone wrong.');
  });

  it('are reached with the arrow keys', async () => {
    await opened();
    const [frames, errors] = all('[role=tab]');
    await key(frames as Element, 'ArrowRight');
    expect(errors?.getAttribute('aria-selected')).toBe('true');
    expect(frames?.getAttribute('tabindex')).toBe('-1');
    expect(shadow().activeElement).toBe(errors);
    expect(get('[role=tabpanel]').getAttribute('aria-labelledby')).toBe('tab-1');
    await key(errors as Element, 'ArrowRight');
    expect(frames?.getAttribute('aria-selected')).toBe('true');
    await key(frames as Element, 'ArrowLeft');
    expect(errors?.getAttribute('aria-selected')).toBe('true');
  });
});
