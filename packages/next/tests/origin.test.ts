import { describe, expect, it } from 'vitest';
import { type OriginOptions, refuseOrigin } from '../src/token/origin';

const url = 'http://localhost:3000/api/anywire/token';
const ask = (headers: Record<string, string>, options?: OriginOptions): string | undefined =>
  refuseOrigin(new Request(url, { method: 'POST', headers }), options);

describe('a browser that says where a request comes from', () => {
  it('is answered when it is a page of this site', () => {
    expect(ask({ 'sec-fetch-site': 'same-origin' })).toBeUndefined();
  });

  it.each(['cross-site', 'same-site', 'none', '', 'Same-Origin'])('%j is refused', (site) => {
    expect(ask({ 'sec-fetch-site': site })).toContain('"same-origin"');
  });

  it('is believed whatever name a proxy has given the site', () => {
    const headers = {
      'sec-fetch-site': 'same-origin',
      origin: 'https://app.example.com',
      host: 'localhost:3000',
    };
    expect(ask(headers)).toBeUndefined();
  });

  it('is not talked out of it by an origin that looks right', () => {
    const headers = {
      'sec-fetch-site': 'cross-site',
      origin: 'http://localhost:3000',
      host: 'localhost:3000',
    };
    expect(ask(headers)).toContain('cross-site');
  });
});

describe('a browser that names the origin only', () => {
  it.each([
    ['http://app.example.com', 'app.example.com'],
    ['https://app.example.com', 'app.example.com'],
    ['http://192.168.1.5:3000', '192.168.1.5:3000'],
    ['http://app.example.com', 'APP.example.com'],
    ['http://[::1]:3000', '[::1]:3000'],
  ])('%s is a page of %s', (origin, host) => {
    expect(ask({ origin, host })).toBeUndefined();
  });

  it.each([
    ['https://evil.example.net', 'app.example.com'],
    ['https://app.example.com.evil.net', 'app.example.com'],
    ['https://evil.app.example.com', 'app.example.com'],
    ['http://app.example.com:8080', 'app.example.com'],
    ['http://app.example.com', 'app.example.com:8080'],
    ['null', 'app.example.com'],
    ['', 'app.example.com'],
    ['app.example.com', 'app.example.com'],
    ['file://', 'app.example.com'],
  ])('%j is no page of %s', (origin, host) => {
    expect(ask({ origin, host })).toContain('app.example.com');
  });

  it('is compared with the URL where there is no Host', () => {
    const request = new Request(url, { headers: { origin: 'http://localhost:3000' } });
    expect(refuseOrigin(request)).toBeUndefined();
    const other = new Request(url, { headers: { origin: 'http://localhost:3001' } });
    expect(refuseOrigin(other)).toContain('localhost:3001');
  });

  it('is not compared with what a client may claim, unless that is to be believed', () => {
    const headers = {
      origin: 'https://evil.example.net',
      host: 'app.example.com',
      'x-forwarded-host': 'evil.example.net',
    };
    expect(ask(headers)).toBeDefined();
    expect(ask(headers, { trustForwardedHost: true })).toBeUndefined();
  });

  it('is compared with the first of several forwarded hosts', () => {
    const headers = {
      origin: 'https://app.example.com',
      host: 'inner:3000',
      'x-forwarded-host': ' app.example.com , proxy.internal',
    };
    expect(ask(headers, { trustForwardedHost: true })).toBeUndefined();
    expect(ask({ ...headers, 'x-forwarded-host': '' }, { trustForwardedHost: true })).toBeDefined();
  });
});

describe('other origins', () => {
  const options = { allowedOrigins: ['https://admin.example.com'] };

  it('are admitted by name', () => {
    const headers = {
      origin: 'https://admin.example.com',
      'sec-fetch-site': 'same-site',
      host: 'app.example.com',
    };
    expect(ask(headers, options)).toBeUndefined();
    expect(ask({ origin: 'https://admin.example.com' }, options)).toBeUndefined();
  });

  it.each(['http://admin.example.com', 'https://admin.example.com:444', 'https://x.example.com'])(
    '%s is another one',
    (origin) => {
      expect(ask({ origin, host: 'app.example.com' }, options)).toBeDefined();
    },
  );
});

describe('a program', () => {
  it('says nothing, and is answered: it has nobody else to speak for', () => {
    expect(ask({})).toBeUndefined();
    expect(ask({ host: 'app.example.com' })).toBeUndefined();
  });
});
