import { describe, expect, it } from 'vitest';
import { harness, opened } from './support/harness';

describe('reconnect()', () => {
  it('replaces an open link at once', () => {
    const h = opened();
    const old = h.ws();
    h.socket.reconnect();
    expect(old.closedWith).toEqual([1000, 'reconnect']);
    expect(h.made()).toBe(2);
    expect(h.states).toEqual(['connecting', 'open', 'connecting']);
    expect(h.closes).toMatchObject([{ by: 'local' }]);
  });

  it('starts an idle socket', () => {
    const h = harness();
    h.socket.reconnect();
    expect(h.socket.state).toBe('connecting');
  });

  it('sets the count of failures back', () => {
    const h = harness({ backoff: { jitter: 'none' } });
    h.socket.connect();
    for (let i = 0; i < 5; i++) {
      h.ws().end();
      h.retry();
    }
    h.socket.reconnect();
    h.ws().end();
    expect(h.socket.snapshot.retryAt).toBe(h.clock.time + 250);
  });
});

describe('generations', () => {
  it('ignores every late event of a replaced link', () => {
    const h = opened();
    const old = h.ws();
    const { onopen, onmessage, onclose, onerror } = old;
    h.socket.reconnect();
    h.ws().accept();
    const before = h.socket.snapshot;
    onopen?.({});
    onmessage?.({ data: 'ghost' });
    onerror?.({});
    onclose?.({ code: 1008, reason: 'ghost', wasClean: true });
    old.end(1006);
    expect(h.socket.snapshot).toBe(before);
    expect(h.messages).toEqual([]);
    expect(h.made()).toBe(2);
  });

  it('ignores messages between the decision to close and the end', () => {
    const h = opened();
    void h.socket.close();
    h.ws().say('late');
    expect(h.messages).toEqual([]);
  });

  it('keeps the snapshot the same object while nothing changes', () => {
    const h = opened();
    const before = h.socket.snapshot;
    h.ws().say('x');
    h.socket.send('y');
    h.socket.connect();
    expect(h.socket.snapshot).toBe(before);
    expect(Object.isFrozen(before)).toBe(true);
  });

  it('gives every state listener the truth: each change starts where the last one ended', () => {
    const h = harness();
    const pairs: (readonly [unknown, unknown])[] = [];
    h.socket.on('state', (now, before) => pairs.push([now, before]));
    h.socket.connect();
    h.ws().accept().end();
    h.clock.advance(1000);
    void h.socket.close();
    for (let i = 1; i < pairs.length; i++) expect(pairs[i]?.[1]).toBe(pairs[i - 1]?.[0]);
  });
});

describe('listeners that call back', () => {
  it('may reconnect out of "failed"', () => {
    const h = harness();
    let once = true;
    h.socket.on('state', ({ state }) => {
      if (state !== 'failed' || !once) return;
      once = false;
      h.socket.reconnect();
    });
    h.socket.send('kept back');
    h.socket.connect();
    h.ws().accept().end(1008);
    expect(h.socket.state).toBe('connecting');
    expect(h.network.listeners).toBe(1);
    h.ws().accept();
    expect(h.socket.state).toBe('open');
  });

  it('may close while connecting is announced', () => {
    const h = harness();
    h.socket.on('state', ({ state }) => {
      if (state === 'connecting') void h.socket.close();
    });
    h.socket.connect();
    expect(h.socket.state).toBe('closed');
    expect(h.made()).toBe(0);
    expect(h.clock.pending).toBe(0);
  });

  it('may close while open is announced; then "open" is not', () => {
    const h = harness();
    h.socket.on('state', ({ state }) => {
      if (state === 'open') void h.socket.close();
    });
    h.socket.connect();
    h.ws().accept();
    expect(h.socket.state).toBe('closed');
    expect(h.opens).toEqual([]);
    h.ws().end(1000);
    expect(h.clock.pending).toBe(0);
  });

  it('may close while waiting is announced', () => {
    const h = opened();
    h.socket.on('state', ({ state }) => {
      if (state === 'waiting') void h.socket.close();
    });
    h.ws().end();
    expect(h.socket.state).toBe('closed');
    h.clock.advance(100_000);
    expect(h.made()).toBe(1);
  });

  it('may close inside a message, and get no more of them', () => {
    const h = opened();
    h.socket.on('message', () => void h.socket.close());
    h.ws().say('a');
    h.ws().say('b');
    expect(h.messages).toEqual(['a']);
  });

  it('may reconnect inside "close"', () => {
    const h = opened();
    h.socket.on('close', () => h.socket.reconnect());
    h.ws().end();
    expect(h.socket.state).toBe('connecting');
    expect(h.made()).toBe(2);
    h.clock.advance(1000);
    expect(h.made()).toBe(2);
  });
});
