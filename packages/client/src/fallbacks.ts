import { messages } from './realtime/codec';
import { makeLadder as ladder } from './realtime/ladder';
import type { Piece, Transport, TransportSetup, Wire, WireEvents } from './realtime/wire';

/**
 * The ways around a blocked WebSocket (docs/protocol.md section 9): Server-Sent Events and
 * long-polling, both over `fetch` alone, in JSON. Put them behind the first choice:
 *
 *   createClient({ url, transports: [websocket(), sse(), poll()] })
 */

/** So long an opening request may be without an answer; the next twice as long, and so on. */
const hastenMs = 1000;
/** A poll whose answer did not arrive is asked again so often; the server repeats the answer. */
const pollTriesMax = 3;
const pauseMs = 500;
const farewellMs = 2000;
/** One event may not grow without end; frames are at most 1 MiB by default. */
const eventMax = 16 << 20;

/** Messages come as events of one long response, and go as requests of their own. */
export function sse(): Transport {
  return transport('sse', async (ask, take) => {
    const { body } = await ask('', 1, hastenMs);
    const reader = (body as ReadableStream<Uint8Array>).getReader();
    const decoder = new TextDecoder();
    let rest = '';
    let data = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      // A comment is a sign of life, and so is part of an event.
      take({});
      const text = decoder.decode(value, { stream: true });
      rest += text;
      if (rest.length + data.length > eventMax) throw 'too long';
      // A long line comes in many pieces, and is not to be searched again with each.
      if (!/[\r\n]/.test(text)) continue;
      // WHATWG HTML 9.2.6. A CR at the very end may be half of a CRLF; it waits for what follows.
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() as string;
      for (const line of lines) {
        if (line.startsWith('data:')) data += line.slice(5);
        else if (!line && data) {
          // What an event is, `open`, `close` or a frame, shows in what it holds, too.
          const event = JSON.parse(data);
          const { type, stream, code } = event;
          data = '';
          take({ stream, messages: event, close: code && !type ? event : undefined });
        }
      }
    }
  });
}

/** Messages come as answers to requests that wait, and go as requests of their own. */
export function poll(): Transport {
  return transport('poll', async (ask, take, greeting) => {
    // The greeting opens the stream. No event may come before `open` has returned.
    await undefined;
    let answer = await ask(`"messages":[${greeting()}]`, 1, hastenMs);
    while (take(answer)) {
      const { stream, seq } = answer;
      if (!stream) throw 'no stream';
      answer = await ask(`"stream":${JSON.stringify(stream)},"ack":${Number(seq)}`, pollTriesMax);
    }
  });
}

/** What a request brings: a body of events, or the answer to a poll. */
interface Answer {
  readonly body?: ReadableStream<Uint8Array> | null;
  readonly stream?: unknown;
  readonly messages?: unknown;
  readonly seq?: unknown;
  readonly close?: Farewell | undefined;
}
interface Farewell {
  readonly code: number;
  readonly reason?: string;
}

/**
 * Makes a request with these members, `tries` times until one succeeds. Those that have no answer
 * in `ms` do not count: the next has twice the time.
 */
type Ask = (members: string, tries: number, ms?: number) => Promise<Answer>;
/** The reading half of a transport. */
type Read = (
  ask: Ask,
  /** True: the stream goes on. */
  take: (answer: Answer) => boolean,
  /** What a line has to say at once when it is opened. */
  greeting: () => readonly Piece[],
) => Promise<void>;

function transport(name: string, read: Read): Transport {
  return { name, ladder, open: (setup, events) => openStream(setup, events, name, read) };
}

/** What both have in common: the way out, and one end. */
function openStream(setup: TransportSetup, events: WireEvents, name: string, read: Read): Wire {
  const waiting: Piece[] = [];
  /** As JSON. */
  let id: string | undefined;
  let sending: Promise<void> | undefined;
  let ended = false;

  const end = async () => {
    if (ended) return;
    ended = true;
    await stop(sending);
  };
  const lost = (code: number, reason: string) => {
    if (ended) return;
    sending = undefined;
    void end();
    events.lost({ code, reason, wasClean: code !== 1006, by: 'peer' });
  };
  const fail = (error: unknown) => lost(1006, `${error}`);
  const [request, ask, stop] = makeRequests(setup, name, lost);

  const take = ({ stream, messages: batch, close }: Answer): boolean => {
    if (stream && !ended && !id) {
      id = JSON.stringify(stream);
      if (name === 'sse') events.opened();
      flush();
    }
    if (!ended) events.messages(messages(batch));
    if (close) lost(close.code, close.reason ?? '');
    return !ended;
  };
  const greeting = () => {
    if (!ended) events.opened();
    return waiting.splice(0);
  };
  /** One request at a time keeps the order; what gathers meanwhile goes with the next. */
  const drain = async () => {
    while (waiting[0]) {
      await request('send', `"stream":${id},"messages":[${waiting.splice(0, 64)}]`);
    }
    sending = undefined;
  };
  const flush = () => {
    // What fails may have been taken or not; a resumed session sorts it out.
    if (id && !ended && waiting[0]) sending ??= drain().catch(fail);
  };
  read(ask, take, greeting).then(() => fail('the end'), fail);
  return {
    codec: setup.json,
    end,
    send(pieces) {
      waiting.push(...pieces);
      flush();
    },
  };
}

/** The requests of one stream: one as such, the asking of its reading half, and the end of all. */
function makeRequests(
  { url, clock, fetch = globalThis.fetch }: TransportSetup,
  name: string,
  lost: (code: number, reason: string) => void,
): readonly [
  request: (path: string, members: string) => Promise<Answer>,
  ask: Ask,
  stop: (sending: Promise<void> | undefined) => Promise<void>,
] {
  const timers: unknown[] = [];
  let abort = new AbortController();
  let ended = false;

  const after = (ms: number, run: () => void) => {
    const timer = clock.setTimeout(run, ms);
    timers.push(timer);
    return timer;
  };
  const wait = (ms: number) => new Promise<void>((done) => after(ms, done));
  const silence = () => {
    for (const timer of timers) clock.clearTimeout(timer);
  };
  const request = async (path: string, members: string): Promise<Answer> => {
    // A body of text keeps a browser from asking first whether it may (no CORS preflight).
    const init = members ? { method: 'POST', body: `{${members}}` } : {};
    const place = url.replace(/^ws(.*?)\/?(\?.*)?$/, `http$1/${path}$2`);
    for (;;) {
      const response = await fetch(place, { ...init, signal: abort.signal });
      const { ok, status, headers } = response;
      if (ok) return path === 'poll' ? await response.json() : response;
      if (status !== 503) {
        // 413: it was larger than the server takes.
        lost(status === 413 ? 1009 : 1006, `${path}: status ${status}`);
        throw status;
      }
      // Nothing was taken, so asking again does no harm; the heartbeat sees to it that it ends.
      await wait(1000 * Math.max(1, Number(headers.get('retry-after')) || 1));
    }
  };
  const ask: Ask = async (members, tries, ms = 0) => {
    for (;;) {
      // The stream is not open yet, so there is no other request under way.
      if (ms) abort = new AbortController();
      const timer = ms && after(ms, () => abort.abort());
      try {
        return await request(name, members);
      } catch (error) {
        // Without an answer the connection, kept from before, may be dead; another may not.
        if (abort.signal.aborted) ms *= 2;
        else tries--;
        if (ended || !tries) throw error;
      } finally {
        clock.clearTimeout(timer);
      }
      await wait(pauseMs);
    }
  };
  const stop = async (sending: Promise<void> | undefined) => {
    ended = true;
    silence();
    // What was said before the goodbye still goes out: others need not wait to see that we left.
    if (sending) await Promise.race([sending, wait(farewellMs)]);
    silence();
    abort.abort();
  };
  return [request, ask, stop];
}
