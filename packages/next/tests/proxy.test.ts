import { NextRequest } from 'next/server.js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type AnywireProxyOptions, rewriteToAnywire } from '../src/proxy';

/** Where a request is led to; undefined: left alone. */
const leads = (path: string, options?: AnywireProxyOptions, config = {}): string | undefined => {
  const request = new NextRequest(`http://localhost:3000${path}`, { nextConfig: config });
  return rewriteToAnywire(request, options)?.headers.get('x-middleware-rewrite') ?? undefined;
};

beforeEach(() => vi.stubEnv('ANYWIRE_URL', 'http://rt.internal:3001'));
afterEach(() => vi.unstubAllEnvs());

describe('in proxy.ts', () => {
  it.each([
    ['/anywire', 'http://rt.internal:3001/anywire'],
    ['/anywire/', 'http://rt.internal:3001/anywire'],
    ['/anywire/sse', 'http://rt.internal:3001/anywire/sse'],
    ['/anywire/poll/', 'http://rt.internal:3001/anywire/poll'],
    ['/anywire?a=1&b=%20', 'http://rt.internal:3001/anywire?a=1&b=%20'],
  ])('%s is led to %s', (path, href) => {
    expect(leads(path)).toBe(href);
  });

  it.each(['/', '/any', '/anywires', '/anywire-docs/sse', '/x/anywire', '/Anywire'])(
    '%s is left alone',
    (path) => {
      expect(leads(path)).toBeUndefined();
    },
  );

  it('the address is that of the moment', () => {
    vi.stubEnv('ANYWIRE_URL', 'wss://b.example.com');
    expect(leads('/anywire')).toBe('https://b.example.com/anywire');
    vi.stubEnv('ANYWIRE_URL', undefined);
    expect(leads('/anywire')).toBe('http://127.0.0.1:3001/anywire');
  });

  it('path and target may be options', () => {
    const options = { path: '/live/', target: 'http://a:1/deep/anywire' };
    expect(leads('/live/send', options)).toBe('http://a:1/deep/anywire/send');
    expect(leads('/anywire', options)).toBeUndefined();
  });

  it('a base path is not part of the path', () => {
    const config = { basePath: '/docs' };
    expect(leads('/docs/anywire/sse', {}, config)).toBe('http://rt.internal:3001/anywire/sse');
  });

  it('nobody leads it elsewhere by the path', () => {
    expect(leads('/anywire/../../admin')).toBeUndefined();
    expect(leads('/anywire//evil.example.com')).toBe(
      'http://rt.internal:3001/anywire//evil.example.com',
    );
    expect(leads('/anywire/%2e%2e/admin')).toBeUndefined();
  });

  it('a path or address that cannot be used is an error with advice', () => {
    expect(() => leads('/anywire', { path: 'anywire' })).toThrow('begins with a slash');
    expect(() => leads('/anywire', { target: 'nowhere' })).toThrow(/^rewriteToAnywire: /);
    vi.stubEnv('ANYWIRE_URL', 'nowhere');
    expect(() => leads('/anywire')).toThrow('ANYWIRE_URL');
    expect(leads('/other')).toBeUndefined();
  });
});
