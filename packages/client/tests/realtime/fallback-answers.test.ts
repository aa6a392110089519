import { describe, expect, it } from 'vitest';
import { harness, only } from '../support/fallbacks';

const room = 'room:1';

describe('requests', () => {
  it.each([
    ['wss://a.test/anywire', 'https://a.test/anywire/poll'],
    ['ws://a.test:8080/anywire/', 'http://a.test:8080/anywire/poll'],
    ['https://a.test/deep/anywire?key=1&x=a/b', 'https://a.test/deep/anywire/poll?key=1&x=a/b'],
    ['http://a.test', 'http://a.test/poll'],
    ['wss://[::1]:3001/?y=$1', 'https://[::1]:3001/poll?y=$1'],
  ])('of %s go to %s', async (url, expected) => {
    const asked: unknown[] = [];
    const fetch = async (place: unknown) => {
      asked.push(place);
      throw new TypeError('fetch failed');
    };
    const r = harness({ ...only('poll'), url, fetch: fetch as never });
    r.client.connect();
    await r.settle();
    expect(asked).toEqual([expected]);
  });

  it.each([
    ['3', 3000],
    ['0', 1000],
    ['-5', 1000],
    ['Wed, 21 Oct 2026 07:28:00 GMT', 1000],
    [undefined, 1000],
  ])('refused with Retry-After %s are repeated after %i ms', async (after, ms) => {
    const r = harness(only('poll'));
    r.client.connect();
    await r.pass(250);
    const { fetch } = r.http;
    let busy = 0;
    r.http.fetch = async (place, init) => {
      if (!String(place).endsWith('send') || busy > 0) return fetch(place, init);
      busy++;
      return new Response('{}', { status: 503, headers: after ? { 'retry-after': after } : {} });
    };
    const done = r.client.channel(room).publish(1);
    await r.settle();
    r.clock.advance(ms - 1);
    await r.settle();
    expect([busy, r.server.published.length]).toEqual([1, 0]);
    r.clock.advance(1);
    await r.settle();
    expect(await done).toMatchObject({ offset: 1 });
  });

  it('that wait for a busy server end with the client', async () => {
    const r = harness(only('poll'));
    r.client.connect();
    await r.pass(250);
    r.http.fault = ({ path }) => (path === 'send' ? 503 : undefined);
    const lost = expect(r.client.channel(room).publish(1)).rejects.toMatchObject({
      code: 'closed',
    });
    await r.settle();
    void r.client.close();
    await lost;
    await r.pass(2000);
    expect(r.clock.pending).toBe(0);
    expect(r.http.of('send')).toHaveLength(1);
  });
});

describe('answers that are none of Anywire', () => {
  const answers: Record<string, () => Response> = {
    'a page': () => new Response('<!doctype html>', { headers: { 'content-type': 'text/html' } }),
    'an empty body': () => new Response(null, { status: 204 }),
    'an empty object': () => new Response('{}'),
    'an event that is no JSON': () => new Response('event: open\ndata: hello\n\n'),
    'an event stream that ends': () => new Response('event: open\ndata: {"stream":"s"}\n\n'),
    'a redirect': () => new Response(null, { status: 302, headers: { location: '/login' } }),
  };
  it.each(
    Object.keys(answers).flatMap((what) => [
      ['sse', what],
      ['poll', what],
    ]),
  )('over %s, %s ends the try, and the next one waits', async (name, what) => {
    let asked = 0;
    const fetch = async (place: unknown) => {
      if (!String(place).endsWith('send')) asked++;
      return (answers[what] as () => Response)();
    };
    const r = harness({ ...only(name as 'sse'), fetch: fetch as never });
    r.client.connect();
    await r.settle();
    expect(r.client.snapshot).toMatchObject({ state: 'waiting', attempt: 1 });
    expect(r.client.snapshot.lastClose).toMatchObject({ code: 1006, wasClean: false });
    expect(asked).toBe(1);
    expect(r.clock.pending).toBe(1);
  });

  it.each(['\n', '\r\n', '\r'])(
    'events of several lines, ended by %j, come byte by byte',
    async (eol) => {
      const lines = [
        'event: open',
        'data: {"stream":',
        'data: "the \\u2028 name"}',
        '',
        ': on',
        '',
      ];
      const sent: string[] = [];
      const fetch = async (place: unknown, init: RequestInit) => {
        if (String(place).endsWith('send')) {
          sent.push(String(init.body));
          return new Response(null, { status: 204 });
        }
        const body = new ReadableStream<Uint8Array>({
          start(controller) {
            const bytes = new TextEncoder().encode(lines.map((line) => line + eol).join(''));
            for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
          },
        });
        return new Response(body);
      };
      const r = harness({ ...only('sse'), fetch: fetch as never });
      r.client.connect();
      for (let i = 0; i < 20 && sent.length === 0; i++) await r.settle();
      expect(JSON.parse(sent[0] as string)).toMatchObject({
        stream: 'the \u2028 name',
        messages: [{ type: 'connect' }],
      });
      void r.client.close();
    },
  );

  it('an event without an end is too long at some time', async () => {
    let pulled = 0;
    const mebibyte = new Uint8Array(1 << 20).fill(0x61);
    for (const line of ['data: ', '\ndata: ']) {
      const r = harness({
        ...only('sse'),
        fetch: (async () => {
          const body = new ReadableStream<Uint8Array>({
            pull(controller) {
              pulled++;
              controller.enqueue(new TextEncoder().encode(line));
              controller.enqueue(mebibyte);
            },
          });
          return new Response(body);
        }) as never,
      });
      pulled = 0;
      r.client.connect();
      for (let i = 0; i < 40 && r.client.state === 'connecting'; i++) await r.settle();
      expect(r.client.snapshot.state).toBe('waiting');
      expect(r.client.snapshot.error?.message).toContain('too long');
      expect(pulled).toBeLessThan(32);
      void r.client.close();
    }
  });
});
