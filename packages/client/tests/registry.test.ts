import { beforeEach, describe, expect, it } from 'vitest';
import { leaseSocket, privateSocket } from '../src/index';
import { FakeClock } from './support/fake-clock';
import { FakeNetwork } from './support/fake-network';
import { FakeWebSocket } from './support/fake-web-socket';
import { url } from './support/harness';

const options = () => ({
  url,
  clock: new FakeClock(),
  network: new FakeNetwork(),
  WebSocket: FakeWebSocket,
});

describe('shared sockets', () => {
  beforeEach(() => FakeWebSocket.reset());

  it('are one for each key', () => {
    const a = leaseSocket('k', options());
    const b = leaseSocket('k', options());
    const c = leaseSocket('other', options());
    expect(a.socket).toBe(b.socket);
    expect(c.socket).not.toBe(a.socket);
    expect(FakeWebSocket.all).toHaveLength(2);
    for (const lease of [a, b, c]) lease.release();
  });

  it('close with their last user', () => {
    const a = leaseSocket('k', options());
    const b = leaseSocket('k', options());
    FakeWebSocket.last.accept();
    a.release();
    expect(b.socket.state).toBe('open');
    b.release();
    expect(b.socket.state).toBe('closed');
    expect(FakeWebSocket.last.closedWith).toBeDefined();
  });

  it('count each lease once, however often it is released', () => {
    const a = leaseSocket('k', options());
    const b = leaseSocket('k', options());
    a.release();
    a.release();
    expect(b.socket.state).toBe('connecting');
    b.release();
  });

  it('begin anew after the last user', () => {
    const a = leaseSocket('k', options());
    a.release();
    const b = leaseSocket('k', options());
    expect(b.socket).not.toBe(a.socket);
    expect(b.socket.state).toBe('connecting');
    b.release();
  });

  it('connect again for a new user after close() or a failure', async () => {
    const a = leaseSocket('k', options());
    await Promise.race([a.socket.close(), Promise.resolve()]);
    const b = leaseSocket('k', options());
    expect(b.socket).toBe(a.socket);
    expect(b.socket.state).toBe('connecting');
    FakeWebSocket.last.accept().end(1008);
    const c = leaseSocket('k', options());
    expect(c.socket.state).toBe('connecting');
    for (const lease of [a, b, c]) lease.release();
  });

  it('do not hurry a try for a new user', () => {
    const a = leaseSocket('k', options());
    FakeWebSocket.last.end();
    const b = leaseSocket('k', options());
    expect(b.socket.state).toBe('waiting');
    a.release();
    b.release();
  });

  it('live on globalThis, so that a module loaded twice shares them', () => {
    const a = leaseSocket('k', options());
    const slot = Object.getOwnPropertySymbols(globalThis).find(
      (symbol) => symbol === Symbol.for('anywire.sockets.v1'),
    );
    expect(slot).toBeDefined();
    a.release();
  });
});

describe('private sockets', () => {
  it("are nobody else's", () => {
    FakeWebSocket.reset();
    const a = privateSocket(options());
    const b = privateSocket(options());
    expect(a.socket).not.toBe(b.socket);
    a.release();
    expect(a.socket.state).toBe('closed');
    expect(b.socket.state).toBe('connecting');
    b.release();
  });
});
