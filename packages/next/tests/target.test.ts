import { describe, expect, it } from 'vitest';
import { readPath, readTarget } from '../src/config/target';

describe("the server's address", () => {
  it.each([
    [undefined, 'http://127.0.0.1:3001/anywire'],
    ['', 'http://127.0.0.1:3001/anywire'],
    ['   ', 'http://127.0.0.1:3001/anywire'],
    ['http://rt.internal:3001', 'http://rt.internal:3001/anywire'],
    ['http://rt.internal:3001/', 'http://rt.internal:3001/anywire'],
    [' http://rt.internal \n', 'http://rt.internal/anywire'],
    ['ws://rt.internal:3001', 'http://rt.internal:3001/anywire'],
    ['wss://rt.example.com', 'https://rt.example.com/anywire'],
    ['https://rt.example.com/live/anywire/', 'https://rt.example.com/live/anywire'],
    ['HTTP://RT.INTERNAL', 'http://rt.internal/anywire'],
    ['http://[::1]:3001', 'http://[::1]:3001/anywire'],
  ])('%j leads to %s', (given, href) => {
    expect(readTarget(given).href).toBe(href);
  });

  it.each([
    ['http://rt.internal', 80],
    ['https://rt.internal', 443],
    ['ws://rt.internal', 80],
    ['wss://rt.internal', 443],
    ['http://rt.internal:81', 81],
    ['https://rt.internal:80', 80],
  ])('%s is on port %i', (given, port) => {
    expect(readTarget(given).port).toBe(port);
  });

  it.each([
    ['http://127.0.0.1:3001', true],
    ['http://localhost:3001', true],
    ['ws://[::1]:3001', true],
    ['https://localhost:3001', false],
    ['http://127.0.0.1.example.com', false],
    ['http://10.0.0.5:3001', false],
    ['http://localhost.example.com', false],
  ])('%s can be started here: %s', (given, local) => {
    expect(readTarget(given).local).toBe(local);
  });

  it.each([
    ['rt.internal:3001', 'has the scheme rt.internal:'],
    ['127.0.0.1:3001', 'is no URL'],
    ['/anywire', 'is no URL'],
    ['http://', 'is no URL'],
    ['ftp://rt.internal', 'has the scheme ftp:'],
    ['unix:/run/anywire.sock', 'has the scheme unix:'],
    ['http://rt.internal/?a=b', 'holds a query'],
    ['http://rt.internal/#a', 'holds a query or fragment'],
    ['http://rt.internal/:path*', 'special character'],
  ])('%s is refused, with advice', (given, why) => {
    expect(() => readTarget(given)).toThrow(why);
    expect(() => readTarget(given)).toThrow('http://127.0.0.1:3001');
    expect(() => readTarget(given)).toThrow('ANYWIRE_URL');
  });

  it('does not repeat a password that it refuses', () => {
    const given = 'http://ann:hunter2@rt.internal';
    expect(() => readTarget(given)).toThrow('holds a user name or password');
    expect(() => readTarget(given)).not.toThrow('hunter2');
    expect(() => readTarget('ftp://ann:hunter2@rt.internal')).not.toThrow('hunter2');
  });

  it('says who asked for it', () => {
    expect(() => readTarget('nowhere')).toThrow(/^withAnywire: /);
    expect(() => readTarget('nowhere', 'preloadHistory')).toThrow(/^preloadHistory: /);
  });
});

describe('the path of the site', () => {
  it.each([
    ['/anywire', '/anywire'],
    ['/anywire/', '/anywire'],
    ['/api/live', '/api/live'],
    ['/a.b_c-d~1', '/a.b_c-d~1'],
  ])('%s is %s', (given, path) => {
    expect(readPath(given)).toBe(path);
  });

  it.each([
    '',
    '/',
    'anywire',
    '//anywire',
    '/a//b',
    '/:rest*',
    '/a(b)',
    '/a b',
    '/ä',
    '/a?b',
    '/a#b',
  ])('%j is refused, with an example', (given) => {
    expect(() => readPath(given)).toThrow('"/anywire"');
  });
});
