import { describe, expect, it, vi } from 'vitest';
import type { CloseInfo } from '../../src/index';
import { Calls } from '../../src/realtime/calls';
import { json } from '../../src/realtime/codec';
import { type LineHost, openLine } from '../../src/realtime/line';
import type { Codec, Piece, WireEvents, WireMessage } from '../../src/realtime/wire';
import { FakeClock } from '../support/fake-clock';

const broken: CloseInfo = { code: 1006, reason: '', wasClean: false, by: 'peer' };
const other: Codec = { ...json, protocol: 'other' };

/** A line over a wire that the test holds the other end of. */
function opened(host: Partial<LineHost> = {}, codec: Codec = json, spoken: Codec = codec) {
  const clock = new FakeClock();
  const calls = new Calls(codec, clock, () => {});
  const sent: WireMessage[][] = [];
  const ends: unknown[][] = [];
  const log: string[] = [];
  let events = {} as WireEvents;
  const transport = {
    name: 'test',
    open(_: unknown, given: WireEvents) {
      events = given;
      return {
        codec: spoken,
        send: (pieces: readonly Piece[]) =>
          void sent.push(pieces.map((piece) => JSON.parse(piece as string))),
        end: async (...args: unknown[]) => void ends.push(args),
      };
    },
  };
  const setup = { url: 'wss://x/', codec, json, clock, WebSocket: undefined, fetch: undefined };
  const hosts: LineHost = {
    greet: () => ({ type: 'connect' }),
    hello: () => [],
    up: (_, left) => log.push(`up ${left.length}`),
    message: ({ type }) => log.push(type),
    heard: () => log.push('heard'),
    lost: ({ code }) => log.push(`lost ${code}`),
    ...host,
  };
  const line = openLine(transport, setup, calls, hosts);
  const answer = (message: object) => {
    const id = sent.at(-1)?.[0]?.id as number;
    events.messages([{ type: 'connected', ...message, id }]);
  };
  return { line, calls, sent, ends, log, answer, events: () => events };
}

describe('a line', () => {
  it('says nothing before the handshake is over, and connects then', () => {
    const { sent, events } = opened();
    expect(sent).toEqual([]);
    events().opened();
    expect(sent).toEqual([[{ type: 'connect', id: 1 }]]);
  });

  it('is up when the server has answered, and only by its own answer', () => {
    const { log, answer, events } = opened();
    events().opened();
    events().messages([{ type: 'connected', id: 99 }, { type: 'message' }, { type: 'hello' }]);
    expect(log).toEqual([]);
    answer({});
    expect(log).toEqual(['up 0']);
    events().messages([{ type: 'message' }]);
    expect(log).toEqual(['up 0', 'heard', 'message']);
  });

  it('passes on what came in the same frame behind the answer', () => {
    const { log, events } = opened();
    events().opened();
    events().messages([{ type: 'connected', id: 1 }, { type: 'a' }, { type: 'b' }]);
    expect(log).toEqual(['up 0', 'a', 'b']);
  });

  it('hears that the server lives, though it says nothing', () => {
    const { log, answer, events } = opened();
    events().opened();
    events().messages([]);
    answer({});
    events().messages([]);
    expect(log).toEqual(['up 0', 'heard']);
  });

  it('takes commands along with its greeting, and tells what did not fit', () => {
    const many = (calls: Calls) => Array.from({ length: 70 }, () => calls.make({ type: 'a' }));
    let all: ReturnType<typeof many> = [];
    const { sent, log, calls, answer, events } = opened({ hello: () => all });
    all = many(calls);
    events().opened();
    expect(sent.map(({ length }) => length)).toEqual([64]);
    events().messages([{ type: 'connected', id: 71 }]);
    expect(log).toEqual(['up 7']);
    expect(answer).toBeDefined();
  });

  it.each([
    [true, 4500],
    [false, 4400],
    [undefined, 4400],
  ])('is lost when connect is refused, retry %s', (retry, code) => {
    const lost = vi.fn();
    const { answer, ends, events } = opened({ lost });
    events().opened();
    answer({ type: 'error', code: 'too_large', message: 'agent', retry });
    expect(lost.mock.calls).toEqual([
      [{ code, reason: 'too_large: agent', wasClean: true, by: 'peer' }],
    ]);
    expect(ends).toEqual([[1000]]);
  });

  it('is lost once', () => {
    const { log, events } = opened();
    events().opened();
    events().lost(broken);
    events().lost(broken);
    expect(log).toEqual(['lost 1006']);
  });

  it('says nothing any more when it was told to end, whatever still comes', async () => {
    const { line, log, ends, answer, events } = opened();
    events().opened();
    await line.end(1000, 'bye');
    await line.end();
    events().opened();
    answer({});
    events().messages([{ type: 'message' }]);
    events().lost(broken);
    expect(log).toEqual([]);
    expect(ends).toEqual([[1000, 'bye']]);
  });

  it('that is ended before the handshake does not greet', () => {
    const { line, sent, events } = opened();
    void line.end();
    events().opened();
    expect(sent).toEqual([]);
  });

  it('that is ended in the midst of a frame passes nothing of the rest on', () => {
    const seen: string[] = [];
    const r = opened({
      message: ({ type }) => {
        seen.push(type);
        void r.line.end();
      },
    });
    r.events().opened();
    r.answer({});
    r.events().messages([{ type: 'a' }, { type: 'b' }]);
    expect(seen).toEqual(['a']);
  });
});

describe('a wary line', () => {
  it('asks first whether anything comes through', () => {
    const opens = vi.fn();
    const { sent, log, answer, events } = opened({ wary: true, opened: opens });
    events().opened();
    expect(opens).toHaveBeenCalledOnce();
    expect(sent).toEqual([[{ type: 'ping', id: 1 }]]);
    answer({ type: 'error', code: 'not_connected' });
    expect(sent.at(-1)).toEqual([{ type: 'connect', id: 2 }]);
    answer({});
    expect(log).toEqual(['up 0']);
  });

  it('does not greet when nothing is answered', () => {
    const { sent, log, events } = opened({ wary: true });
    events().opened();
    events().messages([{ type: 'noise' }]);
    events().lost(broken);
    expect(sent).toHaveLength(1);
    expect(log).toEqual(['lost 1006']);
  });
});

describe('who taps a line', () => {
  it('sees each frame both ways, the greeting too', () => {
    const tap = vi.fn();
    const { line, calls, answer, events } = opened({ tap });
    events().opened();
    answer({});
    line.send([calls.make({ type: 'a' })]);
    expect(tap.mock.calls).toEqual([
      ['out', ['{"type":"connect","id":1}']],
      ['in', [{ type: 'connected', id: 1 }]],
      ['out', ['{"type":"a","id":2}']],
    ]);
  });

  it('sees nothing of a line that has ended', () => {
    const tap = vi.fn();
    const { line, events } = opened({ tap });
    void line.end();
    events().messages([{ type: 'a' }]);
    expect(tap).not.toHaveBeenCalled();
  });
});

describe('a wire that speaks another codec', () => {
  const translate: NonNullable<Codec['translate']> = (pieces, to, answer) => {
    answer({ type: 'error', id: 2, code: 'bad_data' });
    return pieces.map(() => to.encode({ type: to.protocol }));
  };

  it('gets what the codec makes of it, and the codec may answer in its place', () => {
    const { line, calls, sent, log, answer, events } = opened({}, { ...json, translate }, other);
    events().opened();
    expect(sent).toEqual([[{ type: 'other' }]]);
    events().messages([{ type: 'connected', id: 1 }]);
    line.send([calls.make({ type: 'a' })]);
    expect(sent.at(-1)).toEqual([{ type: 'other' }]);
    expect(log).toContain('error');
    expect(answer).toBeDefined();
  });

  it('gets it as it is where the codec does not know how', () => {
    const { sent, events } = opened({}, json, other);
    events().opened();
    expect(sent).toEqual([[{ type: 'connect', id: 1 }]]);
  });

  it('is left alone where it speaks the same', () => {
    const codec = { ...json, translate };
    const { sent, events } = opened({}, codec, codec);
    events().opened();
    expect(sent).toEqual([[{ type: 'connect', id: 1 }]]);
  });
});
