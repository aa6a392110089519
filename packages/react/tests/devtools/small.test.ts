import { afterEach, describe, expect, it, vi } from 'vitest';
import { h, Keyed, say, set, svg } from '../../src/devtools/dom';
import { choices, everything, filtered, matches, summary } from '../../src/devtools/filter';
import { clockTime, place, plural, size, span } from '../../src/devtools/format';
import type { Entry } from '../../src/devtools/recorder';
import { Ring } from '../../src/devtools/ring';
import { Traffic } from '../../src/devtools/traffic';

afterEach(() => vi.restoreAllMocks());

describe('figures', () => {
  it.each([
    [-5, '0 ms'],
    [0, '0 ms'],
    [999, '999 ms'],
    [1000, '1.0 s'],
    [9_449, '9.4 s'],
    [59_999, '59.9 s'],
    [60_000, '1 min 00 s'],
    [245_500, '4 min 05 s'],
    [3_600_000, '1 h 00 min'],
    [7_800_000, '2 h 10 min'],
  ])('%d ms are %s', (ms, text) => expect(span(ms)).toBe(text));

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1400, '1.4 kB'],
    [2_000_000, '2.0 MB'],
  ])('%d bytes are %s', (bytes, text) => expect(size(bytes)).toBe(text));

  it('of a time of day have all their digits', () => {
    expect(clockTime(new Date(2026, 0, 2, 3, 4, 5, 6).getTime())).toBe('03:04:05.006');
  });

  it('are in the plural where they are not one', () => {
    expect([0, 1, 2].map((count) => plural(count, 'frame'))).toEqual([
      '0 frames',
      '1 frame',
      '2 frames',
    ]);
  });
});

describe('a place', () => {
  it.each([
    [undefined, '–'],
    ['wss://rt.example.org/anywire', 'rt.example.org/anywire'],
    ['wss://rt.example.org:8443/anywire?token=secret#x', 'rt.example.org:8443/anywire'],
    ['/anywire?token=secret', '/anywire'],
    ['memory:', 'memory:'],
    ['', ''],
  ])('%s is shown as %s, without what may be secret', (url, text) => {
    expect(place(url)).toBe(text);
  });
});

describe('a ring', () => {
  it('holds the newest', () => {
    const ring = new Ring<number>(3);
    for (let i = 0; i < 100; i++) ring.add(i);
    expect(ring.list).toEqual([97, 98, 99]);
  });

  it('gives the same list until something is added', () => {
    const ring = new Ring<number>(3);
    ring.add(1);
    const { list } = ring;
    expect(ring.list).toBe(list);
    ring.add(2);
    expect(list).toEqual([1]);
    expect(ring.list).toEqual([1, 2]);
    ring.clear();
    expect(ring.list).toEqual([]);
  });
});

describe('traffic', () => {
  it('is counted by the second, and forgotten after a minute', () => {
    const traffic = new Traffic();
    traffic.count(100_000, 'in');
    traffic.count(100_999, 'in');
    traffic.count(100_500, 'out');
    traffic.count(101_000, 'out');
    const now = traffic.last(101_500);
    expect(now).toHaveLength(60);
    expect(now.slice(-3)).toEqual([
      { sent: 0, received: 0 },
      { sent: 1, received: 2 },
      { sent: 1, received: 0 },
    ]);
    expect(traffic.last(159_999)[0]).toEqual({ sent: 1, received: 2 });
    expect(traffic.last(162_000).every(({ sent, received }) => sent + received === 0)).toBe(true);
  });

  it('does not mix seconds that are a minute apart', () => {
    const traffic = new Traffic();
    traffic.count(1000, 'in');
    traffic.count(61_000, 'in');
    expect(traffic.last(61_000).at(-1)).toEqual({ sent: 0, received: 1 });
  });
});

let ids = 0;
const entry = (more: Partial<Entry> = {}): Entry => {
  const type = more.type ?? 'message';
  return {
    id: ++ids,
    at: 0,
    direction: 'in',
    type,
    channel: 'room',
    bytes: undefined,
    transport: 'websocket',
    message: { type, channel: 'room', data: { text: 'Hello' } },
    ...more,
  };
};

describe('a filter', () => {
  const filter = (more: object) => ({ ...everything, ...more });
  it.each([
    ['nothing', {}, true],
    ['its direction', { direction: 'in' }, true],
    ['another direction', { direction: 'out' }, false],
    ['its type', { type: 'message' }, true],
    ['another type', { type: 'presence' }, false],
    ['its channel', { channel: 'room' }, true],
    ['another channel', { channel: 'hall' }, false],
    ['a text in it, in whatever case', { text: 'hELLO' }, true],
    ['another text', { text: 'bye' }, false],
    ['its type and another text', { type: 'message', text: 'bye' }, false],
  ])('for %s', (_, wanted, passes) => {
    expect(matches(entry(), filter(wanted))).toBe(passes);
  });

  it('does not find secrets', () => {
    const connect = entry({ type: 'connect', message: { type: 'connect', token: 'eyJabc' } });
    expect(matches(connect, filter({ text: 'eyJabc' }))).toBe(false);
    expect(matches(connect, filter({ text: 'redacted' }))).toBe(true);
  });

  it('for nothing gives the very list', () => {
    const list = [entry()];
    expect(filtered(list, everything)).toBe(list);
    expect(filtered(list, filter({ type: 'x' }))).toEqual([]);
  });

  it('offers what occurs, in order and once', () => {
    const list = ['b', 'a', 'b', undefined].map((channel) => entry({ channel }));
    expect(choices(list, 'channel')).toEqual(['a', 'b']);
  });
});

describe('a summary', () => {
  it.each([
    [{ type: 'message', channel: 'room', offset: 7, data: [1] }, '{"data":[1],"offset":7}'],
    [{ type: 'message', offset: 7, text: 'hi' }, '{"text":"hi","offset":7}'],
    [{ type: 'publish', id: 3, binary: new Uint8Array(1) }, '{"binary":[1 bytes: 00],"id":3}'],
    [{ type: 'connect', id: 1, token: 'eyJ' }, '{"token":[redacted],"id":1}'],
    [{ type: 'ok', id: 4 }, '{"id":4}'],
  ])('of %j begins with what matters', (message, text) => {
    expect(summary(entry({ type: message.type, message }))).toBe(text);
  });

  it('of a state tells from where to where, and why', () => {
    const message = { type: 'state', from: 'open', to: 'waiting', error: 'gone' };
    expect(summary(entry({ direction: 'here', message }))).toBe('open → waiting: gone');
    const quiet = { ...message, error: undefined };
    expect(summary(entry({ direction: 'here', message: quiet }))).toBe('open → waiting');
  });

  it('is short', () => {
    const message = { type: 'message', data: 'x'.repeat(100_000) };
    expect(summary(entry({ message })).length).toBeLessThan(320);
  });
});

describe('elements', () => {
  it('take attributes, listeners, texts and children', () => {
    const click = vi.fn();
    const element = h('button', { type: 'button', hidden: true, click }, 'a', undefined, h('b'));
    element.click();
    expect(click).toHaveBeenCalledTimes(1);
    expect(element.outerHTML).toBe('<button type="button" hidden="">a<b></b></button>');
    expect(svg('path', { d: 'M0 0' }).namespaceURI).toBe('http://www.w3.org/2000/svg');
  });

  it('are written to only where something is different', () => {
    const element = h('p', { title: 'a' }, 'text');
    const write = vi.spyOn(element, 'setAttribute');
    const node = element.firstChild;
    set(element, { title: 'a' });
    say(element, 'text');
    expect(write).not.toHaveBeenCalled();
    expect(element.firstChild).toBe(node);
    set(element, { title: undefined });
    expect(element.hasAttribute('title')).toBe(false);
  });

  it('of a list stay the same while their key is there, in whatever order', () => {
    const list = h('ul');
    const keyed = new Keyed<string>(
      list,
      (item) => item,
      (item) => h('li', {}, item),
    );
    keyed.show(['a', 'b', 'c']);
    const b = keyed.get('b');
    keyed.show(['c', 'b', 'd']);
    expect(list.textContent).toBe('cbd');
    expect(keyed.get('b')).toBe(b);
    expect(keyed.get('a')).toBeUndefined();
    keyed.show([]);
    expect(list.children).toHaveLength(0);
  });

  it('of a list that only grows are not moved', () => {
    const list = h('ul');
    const keyed = new Keyed<number>(
      list,
      (item) => item,
      (item) => h('li', {}, String(item)),
    );
    keyed.show([1, 2, 3]);
    const insert = vi.spyOn(list, 'insertBefore');
    keyed.show([2, 3, 4]);
    expect(insert).toHaveBeenCalledTimes(1);
    expect(list.textContent).toBe('234');
  });
});
