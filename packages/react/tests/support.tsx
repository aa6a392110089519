import { act, cleanup } from '@testing-library/react';
import { afterEach, beforeEach, vi } from 'vitest';
import { FakeWebSocket } from '../../client/tests/support/fake-web-socket';

/**
 * Vocabulary of the tests of the hook. Importing it gives every test of the file fake time and a
 * fake WebSocket; nothing may be left over afterwards.
 */
export { FakeWebSocket };
export const url = 'wss://anywire.test/raw/lobby';

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  FakeWebSocket.reset();
  vi.stubGlobal('WebSocket', FakeWebSocket);
});
afterEach(() => {
  cleanup();
  // The linger, and what the goodbyes may take.
  vi.advanceTimersByTime(10_000);
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** The newest WebSocket, or the one with this URL. */
export function ws(at?: string): FakeWebSocket {
  if (at === undefined) return FakeWebSocket.last;
  const found = FakeWebSocket.all.filter((socket) => socket.url === at).at(-1);
  if (!found) throw new Error(`no WebSocket for ${at}`);
  return found;
}

export const made = (): number => FakeWebSocket.all.length;
/** WebSockets that nobody has closed. */
export const alive = (): number => FakeWebSocket.all.filter((ws) => ws.readyState < 2).length;

export const accept = (at?: string, protocol?: string): void =>
  act(() => void ws(at).accept(protocol));

/** The server says something, and a frame is drawn. */
export function say(...messages: (string | ArrayBuffer)[]): void {
  act(() => {
    for (const message of messages) ws().say(message);
  });
  pass(20);
}

export const end = (code?: number, reason?: string): void => act(() => ws().end(code, reason));
export const pass = (ms: number): void => act(() => void vi.advanceTimersByTime(ms));
