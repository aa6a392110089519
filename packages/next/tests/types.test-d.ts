import type { Message } from '@anywire/client';
import { define } from '@anywire/client/contract';
import type { NextConfig } from 'next';
import type { NextRequest, NextResponse } from 'next/server';
import * as v from 'valibot';
import { describe, expectTypeOf, it } from 'vitest';
import type * as browser from '../src/browser';
import { type AnywireConfig, type NextConfigFunction, withAnywire } from '../src/config';
import {
  anywireToken,
  type Claims,
  type Grant,
  HistoryBoundary,
  type Minted,
  mintToken,
  type PreloadedHistory,
  preloadHistory,
} from '../src/index';
import { rewriteToAnywire } from '../src/proxy';

const rt = define({
  channels: {
    'room:{id}': {
      message: v.object({ text: v.string() }),
      events: { typing: v.object({ on: v.boolean() }) },
    },
    news: { message: v.pipe(v.string(), v.transform(Number)) },
  },
});

describe('withAnywire', () => {
  it('gives an object for an object, a function for a function', () => {
    expectTypeOf(withAnywire({ basePath: '/docs' })).toEqualTypeOf<NextConfig>();
    expectTypeOf(withAnywire()).toEqualTypeOf<NextConfig>();
    const made = withAnywire(async (phase) => ({ distDir: phase }));
    expectTypeOf(made).toEqualTypeOf<NextConfigFunction>();
  });

  it('knows its options', () => {
    expectTypeOf<AnywireConfig['spawn']>().toEqualTypeOf<false | 'dev' | undefined>();
    withAnywire({}, { target: process.env.SOME_URL, spawn: 'dev', args: ['--loops', '1'] });
    // @ts-expect-error There is no such moment.
    withAnywire({}, { spawn: 'always' });
    // @ts-expect-error A misspelt option.
    withAnywire({}, { paht: '/anywire' });
  });
});

describe('tokens', () => {
  it('must say for whom they are', () => {
    expectTypeOf<Claims['user']>().toEqualTypeOf<string | null>();
    expectTypeOf(mintToken({ user: 'ann' })).resolves.toEqualTypeOf<Minted>();
    // @ts-expect-error A guest is null, not forgotten.
    mintToken({ capability: { 'room:*': ['subscribe'] } });
    // @ts-expect-error An id that may be missing: nobody is signed in is `null` of authorize.
    mintToken({ user: undefined as string | undefined });
  });

  it('allow what the server knows', () => {
    mintToken({ user: 'ann', capability: { a: ['subscribe', 'publish', 'presence', 'history'] } });
    mintToken({ user: 'ann', capability: { a: ['rpc', '*'] } }, { secret: process.env.SECRET });
    // @ts-expect-error No such operation.
    mintToken({ user: 'ann', capability: { a: ['read'] } });
  });

  it('come from a route whose authorize may take its time', () => {
    anywireToken({ authorize: () => null });
    anywireToken({ authorize: async () => ({ user: 'ann', ttl: 60 }) });
    const { POST } = anywireToken({
      authorize: (request) => {
        expectTypeOf(request).toEqualTypeOf<Request>();
        return null;
      },
    });
    expectTypeOf(POST).toEqualTypeOf<(request: Request) => Promise<Response>>();
    expectTypeOf<(request: NextRequest) => Promise<Response>>().not.toBeAny();
    expectTypeOf(POST).toExtend<(request: NextRequest) => Promise<Response>>();
    expectTypeOf<Grant>().toExtend<Claims>();
    // @ts-expect-error Nobody knows whom it is from.
    anywireToken({ secret: 'x' });
  });
});

describe('preloadHistory', () => {
  it('types messages by the contract, events included', () => {
    const state = preloadHistory(rt.channel('room:1'));
    type M = Awaited<typeof state>['messages'][number];
    expectTypeOf<Extract<M, { event: 'typing' }>['data']>().toEqualTypeOf<{ on: boolean }>();
    expectTypeOf<Exclude<M, { event: 'typing' }>['data']>().toEqualTypeOf<{ text: string }>();
  });

  it('types what a schema makes of them', () => {
    const state = preloadHistory(rt.channel('news'));
    expectTypeOf<Awaited<typeof state>['messages'][number]['data']>().toEqualTypeOf<number>();
  });

  it('knows nothing of a channel by its name', () => {
    expectTypeOf(preloadHistory('news')).resolves.toEqualTypeOf<PreloadedHistory<Message>>();
    const typed = preloadHistory<{ price: number }>('news');
    expectTypeOf<Awaited<typeof typed>['messages'][number]['data']['price']>().toBeNumber();
  });

  it('takes tokens as they come', () => {
    preloadHistory('news', { token: 'x' });
    preloadHistory('news', { token: { token: 'x' } });
    preloadHistory('news', { token: async () => null });
    preloadHistory('news', { token: () => mintToken({ user: 'ann' }) });
    preloadHistory('news', { token: undefined, url: process.env.SOME_URL, limit: 10 });
    // @ts-expect-error A promise is awaited by whoever has it.
    preloadHistory('news', { token: mintToken({ user: 'ann' }) });
  });

  it('gives what a boundary takes, alone or with others', async () => {
    const one = await preloadHistory(rt.channel('room:1'));
    const two = await preloadHistory('news');
    HistoryBoundary({ state: one });
    HistoryBoundary({ state: [one, two] });
  });
});

describe('proxy.ts', () => {
  it('is answered with a rewrite or nothing', () => {
    const request = {} as NextRequest;
    expectTypeOf(rewriteToAnywire(request)).toEqualTypeOf<NextResponse | undefined>();
  });
});

describe('browsers', () => {
  it('get the boundary only', () => {
    expectTypeOf<keyof typeof browser>().toEqualTypeOf<'HistoryBoundary'>();
  });
});
