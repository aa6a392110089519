import { createRequire } from 'node:module';
import type { NextConfig } from 'next';
import { describe, expect, it } from 'vitest';
import { mergeRewrites, type Rewrite, serverRewrites } from '../src/config/rewrites';

/** What Next.js itself matches sources with; it has no types. */
const { pathToRegexp } = createRequire(import.meta.url)('next/dist/compiled/path-to-regexp') as {
  pathToRegexp: (source: string, keys: [], options: object) => RegExp;
};
const href = 'http://127.0.0.1:3001/anywire';
const ours = serverRewrites('/anywire', { href }, {});
const old: Rewrite = { source: '/old', destination: '/new' };
const all: Rewrite = { source: '/:all*', destination: 'https://old.example.com/:all*' };

describe('the rewrites to the server', () => {
  it('are one for the path and one for what is below it', () => {
    expect(ours).toEqual([
      { source: '/anywire', destination: href },
      { source: '/anywire/:rest*', destination: `${href}/:rest*` },
    ]);
  });

  it.each([
    ['/anywire', true],
    ['/anywire/', true],
    ['/anywire/sse', true],
    ['/anywire/poll', true],
    ['/anywire/poll/', true],
    ['/anywires', false],
    ['/any', false],
    ['/x/anywire', false],
  ])('%s is taken by them: %s', (path, taken) => {
    // As Next.js builds them: not strict, so that a slash at the end makes no difference.
    const matches = ours.some(({ source }) =>
      pathToRegexp(source, [], { strict: false, sensitive: false }).test(path),
    );
    expect(matches).toBe(taken);
  });

  it('are the same in all languages of a site that has several', () => {
    const i18n = { locales: ['en', 'de'], defaultLocale: 'en' };
    expect(serverRewrites('/anywire', { href }, { i18n })).toEqual([
      { source: '/anywire', destination: href, locale: false },
      { source: '/anywire/:rest*', destination: `${href}/:rest*`, locale: false },
    ]);
  });
});

describe("together with the application's own", () => {
  it('stand alone when there are none', async () => {
    const none = { beforeFiles: ours, afterFiles: [], fallback: [] };
    expect(await mergeRewrites(ours, {})).toEqual(none);
    // @ts-expect-error Plain JavaScript may say this.
    expect(await mergeRewrites(ours, { rewrites: undefined })).toEqual(none);
    // @ts-expect-error So may a function that answers on some days only.
    expect(await mergeRewrites(ours, { rewrites: async () => undefined })).toEqual(none);
  });

  it('a list stays behind the files, as Next.js takes one', async () => {
    const merged = await mergeRewrites(ours, { rewrites: async () => [old] });
    expect(merged).toEqual({ beforeFiles: ours, afterFiles: [old], fallback: [] });
  });

  it('the three lists stay what they are, ours first of all', async () => {
    const rewrites = async () => ({ beforeFiles: [all], afterFiles: [old], fallback: [all] });
    expect(await mergeRewrites(ours, { rewrites })).toEqual({
      beforeFiles: [...ours, all],
      afterFiles: [old],
      fallback: [all],
    });
  });

  it('any of the three lists may be missing', async () => {
    const rewrites = async () => ({ fallback: [all] });
    const merged = await mergeRewrites(ours, { rewrites } as unknown as NextConfig);
    expect(merged).toEqual({ beforeFiles: ours, afterFiles: [], fallback: [all] });
  });

  it('a function need not be asynchronous', async () => {
    const rewrites = () => [old];
    const merged = await mergeRewrites(ours, { rewrites } as unknown as NextConfig);
    expect(merged.afterFiles).toEqual([old]);
  });

  it('a list or object in place of the function counts, too', async () => {
    const list = { rewrites: [old] } as unknown as NextConfig;
    expect((await mergeRewrites(ours, list)).afterFiles).toEqual([old]);
    const lists = { rewrites: { beforeFiles: [old] } } as unknown as NextConfig;
    expect((await mergeRewrites(ours, lists)).beforeFiles).toEqual([...ours, old]);
  });

  it('a method may use its configuration', async () => {
    const config = {
      basePath: '/docs',
      async rewrites() {
        return [{ source: '/x', destination: `${(this as NextConfig).basePath}/y` }];
      },
    };
    expect((await mergeRewrites(ours, config)).afterFiles[0]?.destination).toBe('/docs/y');
  });

  it('what it rejects with is passed on', async () => {
    const rewrites = () => Promise.reject(new Error('no such file'));
    await expect(mergeRewrites(ours, { rewrites })).rejects.toThrow('no such file');
  });

  it("leaves the application's lists as they were", async () => {
    const lists = { beforeFiles: [all], afterFiles: [old], fallback: [] };
    await mergeRewrites(ours, { rewrites: async () => lists });
    expect(lists).toEqual({ beforeFiles: [all], afterFiles: [old], fallback: [] });
  });
});
