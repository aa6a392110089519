import { describe, expect, it, vi } from 'vitest';
import { RAW_PROTOCOL } from '../src/index';
import { opened } from './support/harness';

describe('the heartbeat of Anywire', () => {
  it('is on as soon as the server has selected the subprotocol', () => {
    const h = opened({ heartbeat: true }, RAW_PROTOCOL);
    h.clock.advance(20_000);
    expect(h.ws().sent).toEqual(['']);
    h.ws().say('');
    h.clock.advance(19_999);
    expect(h.ws().sent).toEqual(['']);
    h.clock.advance(1);
    expect(h.ws().sent).toEqual(['', '']);
  });

  it('is on as well when only the protocol was named', () => {
    const h = opened({ protocols: RAW_PROTOCOL }, RAW_PROTOCOL);
    h.clock.advance(20_000);
    expect(h.ws().sent).toEqual(['']);
  });

  it('never sends anything to a server that did not select it', () => {
    const h = opened({ heartbeat: true, protocols: 'chat' }, 'chat');
    h.clock.advance(1_000_000);
    expect(h.ws().sent).toEqual([]);
    expect(h.socket.state).toBe('open');
  });

  it('hides the answers and nothing else', () => {
    const h = opened({ heartbeat: true }, RAW_PROTOCOL);
    const empty = new ArrayBuffer(0);
    h.ws().say('');
    h.ws().say(empty);
    h.ws().say(' ');
    expect(h.messages).toEqual([empty, ' ']);
  });

  it('hides answers also when it is off, for they are no messages', () => {
    const h = opened({ heartbeat: false, protocols: RAW_PROTOCOL }, RAW_PROTOCOL);
    h.ws().say('');
    expect(h.messages).toEqual([]);
    h.clock.advance(1_000_000);
    expect(h.ws().sent).toEqual([]);
  });

  it('finds a half-open link within interval and timeout, and replaces it', () => {
    const h = opened({ heartbeat: { interval: 1000, timeout: 500 } }, RAW_PROTOCOL);
    const dead = h.ws();
    h.clock.advance(1499);
    expect(h.socket.state).toBe('open');
    h.clock.advance(1);
    expect(h.socket.snapshot).toMatchObject({
      state: 'waiting',
      error: { code: 'heartbeat' },
      lastClose: { code: 1006, by: 'heartbeat', wasClean: false },
    });
    expect(h.closes).toMatchObject([{ by: 'heartbeat' }]);
    expect(dead.closedWith).toEqual([undefined, undefined]);
    h.retry();
    h.ws().accept(RAW_PROTOCOL);
    dead.end(1006);
    expect(h.socket.state).toBe('open');
  });

  it('takes messages for a sign of life', () => {
    const h = opened({ heartbeat: { interval: 1000, timeout: 500 } }, RAW_PROTOCOL);
    for (let i = 0; i < 10; i++) {
      h.clock.advance(900);
      h.ws().say('x');
    }
    expect(h.ws().sent).toEqual([]);
    expect(h.socket.state).toBe('open');
  });

  it('stops with the link and starts with the next', () => {
    const h = opened({ heartbeat: { interval: 1000, timeout: 500 } }, RAW_PROTOCOL);
    h.ws().end();
    h.clock.advance(250);
    h.clock.advance(5000);
    expect(h.socket.state).toBe('connecting');
    h.ws().accept(RAW_PROTOCOL);
    h.clock.advance(1000);
    expect(h.ws().sent).toEqual(['']);
  });

  it('asks at once on probe()', () => {
    const h = opened({ heartbeat: true }, RAW_PROTOCOL);
    h.socket.probe();
    expect(h.ws().sent).toEqual(['']);
    h.clock.advance(2500);
    expect(h.socket.state).toBe('waiting');
  });

  it('does not send into a link that is closing', () => {
    const h = opened({ heartbeat: true }, RAW_PROTOCOL);
    h.ws().readyState = 2;
    h.socket.probe();
    expect(h.ws().sent).toEqual([]);
  });
});

describe("a probe of one's own", () => {
  it('works with any server and hides its answers when told which they are', () => {
    const h = opened({
      heartbeat: { probe: '{"type":"ping"}', isAnswer: (data) => data === '{"type":"pong"}' },
    });
    h.clock.advance(20_000);
    expect(h.ws().sent).toEqual(['{"type":"ping"}']);
    h.ws().say('{"type":"pong"}');
    h.ws().say('{"type":"news"}');
    expect(h.messages).toEqual(['{"type":"news"}']);
    h.clock.advance(10_000);
    expect(h.socket.state).toBe('open');
  });

  it('delivers the answers when not told', () => {
    const h = opened({ heartbeat: { probe: 'ping' } });
    h.ws().say('pong');
    expect(h.messages).toEqual(['pong']);
  });

  it('may be made anew each time, binary too', () => {
    let n = 0;
    const h = opened({ heartbeat: { probe: () => new Uint8Array([++n]) } });
    h.clock.advance(20_000);
    h.ws().say('x');
    h.clock.advance(20_000);
    expect(h.ws().sent).toEqual([new Uint8Array([1]), new Uint8Array([2])]);
  });

  it('does not take empty text for an answer', () => {
    const h = opened({ heartbeat: { probe: 'ping' } });
    h.ws().say('');
    expect(h.messages).toEqual(['']);
  });

  it('survives mistakes in the functions', () => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => {});
    const h = opened({
      heartbeat: {
        probe: () => {
          throw new Error('mine');
        },
        isAnswer: () => {
          throw new Error('mine too');
        },
      },
    });
    h.clock.advance(20_000);
    h.ws().say('x');
    expect(h.messages).toEqual(['x']);
    expect(error).toHaveBeenCalledTimes(2);
    error.mockRestore();
  });
});
