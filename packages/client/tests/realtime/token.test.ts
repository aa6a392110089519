import { describe, expect, it } from 'vitest';
import type { TokenAnswer, TokenRequest } from '../../src/index';
import { TokenKeeper } from '../../src/realtime/token';

const { signal } = new AbortController();

function keeper(...answers: (TokenAnswer | Error)[]) {
  const requests: TokenRequest[] = [];
  const tokens = new TokenKeeper((request) => {
    requests.push(request);
    const answer = answers.shift() ?? null;
    if (answer instanceof Error) throw answer;
    return answer;
  });
  return { tokens, reasons: () => requests.map(({ reason }) => reason), requests };
}

describe('a token that is a string, or none', () => {
  it.each(['tok', undefined])('is as good as it gets: %s', async (source) => {
    const tokens = new TokenKeeper(source);
    expect(tokens.renewable).toBe(false);
    await tokens.ready(signal);
    expect(tokens.token).toBe(source);
    tokens.deny();
    await tokens.ready(signal);
    expect(tokens.token).toBe(source);
  });
});

describe('a token function', () => {
  it('is asked once, as long as the server takes what it gave', async () => {
    const { tokens, reasons } = keeper('a', 'b');
    expect(tokens.renewable).toBe(true);
    for (let i = 0; i < 3; i++) {
      await tokens.ready(signal);
      tokens.accepted();
    }
    expect(tokens.token).toBe('a');
    expect(reasons()).toEqual(['connect']);
  });

  it('may answer with an object', async () => {
    const { tokens } = keeper({ token: 'a' });
    await tokens.ready(signal);
    expect(tokens.token).toBe('a');
  });

  it('is told that the last one was denied, until one is taken', async () => {
    const { tokens, reasons } = keeper('a', 'b', 'c', 'd');
    await tokens.ready(signal);
    tokens.deny();
    await tokens.ready(signal);
    expect(tokens.token).toBe('b');
    tokens.deny();
    await tokens.ready(signal);
    tokens.accepted();
    await tokens.renew(signal, 'refresh');
    expect(tokens.token).toBe('d');
    expect(reasons()).toEqual(['connect', 'denied', 'denied', 'refresh']);
  });

  it('that gives what was just denied has no other', async () => {
    const { tokens } = keeper('a', 'a', 'b');
    await tokens.ready(signal);
    tokens.deny();
    await expect(tokens.ready(signal)).rejects.toMatchObject({
      code: 'unauthorized',
      retry: false,
    });
    // What is denied is never used again, but the function may change its mind.
    await tokens.ready(signal);
    expect(tokens.token).toBe('b');
  });

  it.each([[null], [''], [{ token: '' }]])('that answers %j stops it', async (answer) => {
    const { tokens } = keeper(answer);
    await expect(tokens.ready(signal)).rejects.toMatchObject({ code: 'token', retry: false });
    expect(tokens.token).toBeUndefined();
  });

  it('that fails may be asked again, and its error is kept as the cause', async () => {
    const cause = new Error('500');
    const { tokens } = keeper(cause, 'a');
    await expect(tokens.ready(signal)).rejects.toMatchObject({
      code: 'token',
      retry: true,
      cause,
      message: expect.stringContaining('500'),
    });
    await tokens.ready(signal);
    expect(tokens.token).toBe('a');
  });

  it('that rejects is the same as one that throws', async () => {
    const tokens = new TokenKeeper(() => Promise.reject(new TypeError('fetch failed')));
    await expect(tokens.ready(signal)).rejects.toMatchObject({ code: 'token', retry: true });
  });

  it('hears that nobody wants the answer any more, which is then not used', async () => {
    const controller = new AbortController();
    const heard: boolean[] = [];
    const tokens = new TokenKeeper(async (request) => {
      controller.abort();
      heard.push(request.signal.aborted);
      return 'late';
    });
    expect(await tokens.renew(controller.signal, 'refresh')).toBeUndefined();
    expect(heard).toEqual([true]);
    expect(tokens.token).toBeUndefined();
  });
});
