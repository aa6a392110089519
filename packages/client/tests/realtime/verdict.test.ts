import { describe, expect, it } from 'vitest';
import { AnywireError } from '../../src/index';
import { toError } from '../../src/realtime/error';
import { verdict } from '../../src/realtime/verdict';
import type { CloseInfo } from '../../src/types';
import { realtime } from '../support/realtime';

const url = 'wss://anywire.test/anywire?key=secret';
const closed = (code: number, reason = '', by: CloseInfo['by'] = 'peer'): CloseInfo => ({
  code,
  reason,
  wasClean: true,
  by,
});

describe('the end of a link', () => {
  it.each([
    ...[
      1000, 1001, 1005, 1006, 1008, 1011, 1012, 1013, 3000, 4000, 4399, 4500, 4501, 4503, 4529,
      4599, 4999,
    ].map((code) => [code, 'network', true] as const),
    [1009, 'too_large', true] as const,
    ...[4400, 4409, 4449].map((code) => [code, 'refused', false] as const),
    ...[4450, 4451, 4452, 4453, 4499].map((code) => [code, 'unauthorized', false] as const),
  ])('by %i is %s, retry: %s', (code, kind, retry) => {
    for (const was of [true, false]) {
      expect(verdict(closed(code), was, url)).toMatchObject({ code: kind, retry });
    }
  });

  it('that this side saw as no protocol of ours is unsupported, unless it had been open', () => {
    const foreign = closed(1002, 'no anywire.v1.json', 'local');
    expect(verdict(foreign, false, url)).toMatchObject({ code: 'unsupported', retry: false });
    expect(verdict(foreign, true, url)).toMatchObject({ code: 'network', retry: true });
    expect(verdict(closed(1002), false, url)).toMatchObject({ code: 'network', retry: true });
  });

  it('is told in the words of whoever ended it, and in no others', () => {
    for (const [code, reason] of [
      [4403, 'You are banned.'],
      [4451, 'expired: long ago'],
    ] as const) {
      expect(verdict(closed(code, reason), false, url).message).toBe(reason);
    }
  });

  it('without a reason is told with the address, but not with what may be secret in it', () => {
    expect(verdict(closed(1006), false, url).message).toBe(
      '1006: no answer at wss://anywire.test/anywire',
    );
  });
});

describe('whatever was thrown', () => {
  it('becomes an error with that code, and the cause', () => {
    const cause = new TypeError('no');
    const error = toError(cause, 'token', { retry: true });
    expect(error).toBeInstanceOf(AnywireError);
    expect(error).toMatchObject({ code: 'token', message: 'TypeError: no', retry: true, cause });
  });

  it('is left as it is when it is one of ours', () => {
    const cause = new AnywireError('refused', 'go away');
    expect(toError(cause, 'token', { retry: true })).toBe(cause);
  });
});

describe('an address', () => {
  it('that nobody answers at is named by the error', async () => {
    const r = realtime({ url: 'wss://elsewhere.test/x?token=secret', connectTimeout: 500 });
    r.server.sockets = 'hang';
    r.client.connect().catch(() => {});
    await r.pass(600);
    expect(r.client.snapshot.error).toMatchObject({
      code: 'network',
      message: '1006: no answer at wss://elsewhere.test/x',
      retry: true,
    });
    await r.client.close();
  });

  it('that is none is named before a token is asked for', async () => {
    const asked: string[] = [];
    const r = realtime({
      url: 'htp://anywire.test/anywire',
      token: ({ reason }) => {
        asked.push(reason);
        return 'tok';
      },
    });
    await expect(r.client.connect()).rejects.toMatchObject({
      code: 'bad_url',
      message: 'htp://anywire.test/anywire is no WebSocket URL',
    });
    expect(asked).toEqual([]);
  });
});

describe('a token function', () => {
  it.each([
    [true, 'waiting'],
    [false, 'failed'],
  ] as const)(
    'that throws an AnywireError is taken at its word: retry %s',
    async (retry, state) => {
      const error = new AnywireError('token', '500: token_failed: no secret', { retry });
      const r = realtime({
        token: () => {
          throw error;
        },
      });
      r.client.connect().catch(() => {});
      await r.settle();
      expect(r.client.snapshot).toMatchObject({ state, error });
      await r.client.close();
    },
  );

  it('that says that nobody is signed in stops the client in words', async () => {
    const r = realtime({ token: () => null });
    await expect(r.client.connect()).rejects.toMatchObject({
      code: 'token',
      message: 'signed out',
      retry: false,
    });
  });
});
