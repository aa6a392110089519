import { describe, expect, it } from 'vitest';
import { RAW_PROTOCOL } from '../src/index';
import { harness, opened } from './support/harness';

describe('send()', () => {
  it('hands messages of all kinds to an open link', () => {
    const h = opened();
    const bytes = new Uint8Array([1, 2]);
    const buffer = new ArrayBuffer(2);
    for (const data of ['a', bytes, buffer, '']) {
      expect(h.socket.send(data)).toEqual({ ok: true, status: 'sent' });
    }
    expect(h.ws().sent).toEqual(['a', bytes, buffer, '']);
  });

  it('queues before the first link and delivers once, in order', () => {
    const h = harness();
    expect(h.socket.send('a')).toEqual({ ok: true, status: 'queued' });
    h.socket.connect();
    expect(h.socket.send('b')).toEqual({ ok: true, status: 'queued' });
    expect(h.socket.queued).toBe(2);
    h.ws().accept();
    h.socket.send('c');
    expect(h.ws().sent).toEqual(['a', 'b', 'c']);
    expect(h.socket.queued).toBe(0);
    h.ws().end();
    h.clock.advance(1000);
    h.ws().accept();
    expect(h.ws().sent).toEqual([]);
    expect(h.drops).toEqual([]);
  });

  it('queues while waiting and delivers on the next link', () => {
    const h = opened();
    h.ws().end();
    h.socket.send('a');
    h.clock.advance(1000);
    h.ws().end();
    h.socket.send('b');
    h.clock.advance(1000);
    h.ws().accept();
    expect(h.ws().sent).toEqual(['a', 'b']);
  });

  it('queues once the peer has begun to close, though the event has not come yet', () => {
    const h = opened();
    h.ws().readyState = 2;
    expect(h.socket.send('a')).toEqual({ ok: true, status: 'queued' });
    h.ws().end(1000);
    h.clock.advance(1000);
    h.ws().accept();
    expect(h.ws().sent).toEqual(['a']);
  });

  it('keeps what was queued through a replaced link', () => {
    const h = harness();
    h.socket.connect();
    h.socket.send('a');
    h.socket.reconnect();
    h.ws().accept();
    expect(h.ws().sent).toEqual(['a']);
  });

  it('refuses when the queue is full, counts and reports it', () => {
    const h = harness({ queue: { max: 1 } });
    h.socket.send('a');
    expect(h.socket.send('bb')).toEqual({ ok: false, status: 'refused', reason: 'overflow' });
    expect(h.drops).toEqual([{ reason: 'overflow', count: 1, bytes: 2, data: 'bb' }]);
    expect(h.socket.snapshot.dropped).toBe(1);
  });

  it('gives up the oldest instead when told so, and reports that', () => {
    const h = harness({ queue: { max: 2, overflow: 'drop-oldest' } });
    for (const text of ['a', 'b', 'c']) expect(h.socket.send(text).ok).toBe(true);
    expect(h.drops).toMatchObject([{ reason: 'oldest', data: 'a' }]);
    h.socket.connect();
    h.ws().accept();
    expect(h.ws().sent).toEqual(['b', 'c']);
  });

  it('refuses what is larger than the queue', () => {
    const h = harness({ queue: { bytes: 3 } });
    expect(h.socket.send('four')).toMatchObject({ ok: false, reason: 'too-large' });
    expect(h.socket.snapshot.dropped).toBe(1);
  });

  it('refuses while not open when there is to be no queue', () => {
    const h = harness({ queue: false });
    expect(h.socket.send('a')).toMatchObject({ ok: false, reason: 'not-open' });
    expect(h.socket.queued).toBe(0);
    h.socket.connect();
    h.ws().accept();
    expect(h.socket.send('b')).toMatchObject({ ok: true, status: 'sent' });
    expect(h.ws().sent).toEqual(['b']);
  });

  it('reports what expired in the queue, at the latest with the next try', () => {
    const h = harness({ queue: { ttl: 5000 } });
    h.socket.send('a');
    h.socket.connect();
    h.clock.advance(5001);
    h.socket.reconnect();
    expect(h.drops).toMatchObject([{ reason: 'expired', data: 'a' }]);
    h.ws().accept();
    expect(h.ws().sent).toEqual([]);
  });

  it('refuses after close() and reports what was still waiting', () => {
    const h = harness();
    h.socket.connect();
    h.socket.send('a');
    void h.socket.close();
    expect(h.drops).toEqual([{ reason: 'closed', count: 1, bytes: 1, data: 'a' }]);
    expect(h.socket.send('b')).toMatchObject({ ok: false, reason: 'closed' });
    expect(h.socket.snapshot.dropped).toBe(2);
  });

  it('refuses after a failure and reports what was still waiting', () => {
    const h = opened();
    h.ws().end();
    h.socket.send('a');
    h.clock.advance(1000);
    h.ws().end(1008);
    expect(h.drops).toMatchObject([{ reason: 'closed', data: 'a' }]);
    expect(h.socket.send('b').ok).toBe(false);
  });

  it('lets a listener send from inside "open", after what was queued before', () => {
    const h = harness();
    h.socket.on('open', () => h.socket.send('hello'));
    h.socket.send('queued');
    h.socket.connect();
    h.ws().accept();
    expect(h.ws().sent).toEqual(['queued', 'hello']);
  });
});

describe('back-pressure of the browser', () => {
  it('queues beyond the limit and sends on when there is room', () => {
    const h = opened({ bufferedMax: 10 });
    h.ws().bufferedAmount = 8;
    expect(h.socket.send('ab').status).toBe('sent');
    h.ws().bufferedAmount = 10;
    expect(h.socket.send('c').status).toBe('queued');
    h.ws().bufferedAmount = 0;
    expect(h.socket.send('d').status).toBe('queued');
    expect(h.ws().sent).toEqual(['ab']);
    h.clock.advance(50);
    expect(h.ws().sent).toEqual(['ab', 'c', 'd']);
  });

  it('asks again and again while there is none', () => {
    const h = opened({ bufferedMax: 10 });
    h.ws().bufferedAmount = 10;
    h.socket.send('a');
    h.clock.advance(500);
    expect(h.ws().sent).toEqual([]);
    h.ws().bufferedAmount = 9;
    h.clock.advance(50);
    expect(h.ws().sent).toEqual(['a']);
    h.clock.advance(5000);
    expect(h.clock.pending).toBe(0);
  });

  it('lets a message through that is larger than the limit, once the way is free', () => {
    const h = opened({ bufferedMax: 4 });
    expect(h.socket.send('longer than four').status).toBe('sent');
  });

  it('is bounded by the queue', () => {
    const h = opened({ bufferedMax: 1, queue: { max: 2 } });
    h.ws().bufferedAmount = 5;
    const results = ['a', 'b', 'c'].map((text) => h.socket.send(text).status);
    expect(results).toEqual(['queued', 'queued', 'refused']);
  });

  it('reports what the browser still held when the link broke', () => {
    const h = opened();
    h.ws().bufferedAmount = 4;
    h.socket.send('aaaa');
    h.ws().bufferedAmount = 7;
    h.socket.send('bbb');
    h.ws().bufferedAmount = 5;
    h.ws().end();
    expect(h.drops).toEqual([{ reason: 'unsent', count: 2, bytes: 5 }]);
    expect(h.socket.snapshot.dropped).toBe(2);
  });

  it('reports nothing when the browser had passed everything on', () => {
    const h = opened();
    h.ws().bufferedAmount = 4;
    h.socket.send('aaaa');
    h.ws().bufferedAmount = 0;
    h.ws().end();
    expect(h.drops).toEqual([]);
  });

  it('counts what was not passed on when closed by us', () => {
    const h = opened();
    h.ws().bufferedAmount = 3;
    h.socket.send('abc');
    void h.socket.close();
    expect(h.drops).toMatchObject([{ reason: 'unsent', count: 1, bytes: 3 }]);
  });
});

describe('empty text', () => {
  it('is a message like any other for a foreign server', () => {
    const h = opened();
    expect(h.socket.send('').status).toBe('sent');
  });

  it('is refused on anywire.raw.v1, where it would be taken for a heartbeat', () => {
    const h = opened({}, RAW_PROTOCOL);
    expect(h.socket.send('')).toEqual({ ok: false, status: 'refused', reason: 'empty' });
    expect(h.socket.send(new ArrayBuffer(0)).status).toBe('sent');
    expect(h.ws().sent).toHaveLength(1);
  });

  it('is reported when it was queued before one could know', () => {
    const h = harness({ heartbeat: true });
    h.socket.connect();
    expect(h.socket.send('').status).toBe('queued');
    h.socket.send('a');
    h.ws().accept(RAW_PROTOCOL);
    expect(h.ws().sent).toEqual(['a']);
    expect(h.drops).toMatchObject([{ reason: 'empty' }]);
  });
});
