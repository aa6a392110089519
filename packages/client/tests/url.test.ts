import { afterEach, describe, expect, it, vi } from 'vitest';
import { resolveUrl } from '../src/url';

describe('resolveUrl', () => {
  it.each([
    ['ws://a.test/x', undefined, 'ws://a.test/x'],
    ['wss://a.test/x?y=1', undefined, 'wss://a.test/x?y=1'],
    ['http://a.test/x', undefined, 'ws://a.test/x'],
    ['https://a.test:8443/x', undefined, 'wss://a.test:8443/x'],
    ['/raw/lobby', 'https://a.test/page', 'wss://a.test/raw/lobby'],
    ['/raw/lobby', 'http://192.168.1.7:3000/page', 'ws://192.168.1.7:3000/raw/lobby'],
    ['lobby', 'https://a.test/raw/', 'wss://a.test/raw/lobby'],
    ['//b.test/x', 'https://a.test/', 'wss://b.test/x'],
    ['?room=1', 'http://a.test/chat', 'ws://a.test/chat?room=1'],
    ['ws://a.test/x#part', undefined, 'ws://a.test/x'],
    ['ws://[::1]:3001/', undefined, 'ws://[::1]:3001/'],
    ['ws://a.test/raw/a b', undefined, 'ws://a.test/raw/a%20b'],
  ])('%s on %s is %s', (input, base, expected) => {
    expect(resolveUrl(input, base)).toBe(expected);
  });

  it('takes URL objects and does not change them', () => {
    const url = new URL('https://a.test/x#part');
    expect(resolveUrl(url)).toBe('wss://a.test/x');
    expect(url.href).toBe('https://a.test/x#part');
  });

  it.each(['', 'nonsense', '/relative', 'ftp://a.test/', 'javascript:alert(1)', 'ws://'])(
    'refuses %j outside of a page',
    (input) => {
      expect(() => resolveUrl(input)).toThrow(TypeError);
    },
  );

  it('refuses a relative URL on a page that has no host', () => {
    expect(() => resolveUrl('/x', 'file:///home/me/page.html')).toThrow(TypeError);
    expect(() => resolveUrl('/x', 'about:blank')).toThrow(TypeError);
  });
});

describe('resolveUrl in React Native', () => {
  afterEach(() => vi.unstubAllGlobals());

  /** As React Native's: a slash behind whatever it is given, and no part can be set. */
  class SlashUrl {
    readonly #url: string;
    constructor(url: string) {
      this.#url = url.endsWith('/') ? url : `${url}/`;
    }
    get href(): string {
      return this.#url;
    }
    get protocol(): string {
      throw new Error('URL.protocol is not implemented');
    }
    toString(): string {
      return this.#url;
    }
  }

  it.each([
    ['wss://a.test/anywire', 'wss://a.test/anywire'],
    ['https://a.test/anywire?x=1', 'wss://a.test/anywire?x=1'],
    ['http://192.168.1.7:3001/anywire#part', 'ws://192.168.1.7:3001/anywire'],
  ])('leaves %s as it is', (input, expected) => {
    vi.stubGlobal('navigator', { product: 'ReactNative' });
    vi.stubGlobal('URL', SlashUrl);
    expect(resolveUrl(input)).toBe(expected);
  });

  it.each(['', '/anywire', 'nonsense', 'ftp://a.test/'])('refuses %j', (input) => {
    vi.stubGlobal('navigator', { product: 'ReactNative' });
    vi.stubGlobal('URL', SlashUrl);
    expect(() => resolveUrl(input)).toThrow(TypeError);
  });
});
