import { describe, expect, it, vi } from 'vitest';
import { attach, type LinkEvents } from '../src/link';
import { FakeClock } from './support/fake-clock';
import { FakeWebSocket } from './support/fake-web-socket';

function linked() {
  const ws = new FakeWebSocket('ws://server/');
  const events = { opened: vi.fn(), message: vi.fn(), lost: vi.fn() } satisfies LinkEvents;
  const end = attach(ws, new FakeClock(), events);
  return { ws, events, end };
}

const broken = { code: 1006, reason: '', wasClean: false, by: 'peer' };

describe('a link', () => {
  it('is lost at once when the page’s policy blocks it, which no close event tells', () => {
    const { ws, events } = linked();
    ws.block();
    expect(events.lost.mock.calls).toEqual([[broken]]);
    expect(events.opened).not.toHaveBeenCalled();
  });

  it('is lost once, also when a close event follows after all', () => {
    const { ws, events } = linked();
    ws.end();
    expect(events.lost.mock.calls).toEqual([[broken]]);
  });

  it('that was open is lost as its close event says, whatever error came before', () => {
    const { ws, events } = linked();
    ws.accept();
    ws.onerror?.({});
    expect(events.lost).not.toHaveBeenCalled();
    ws.end(4400, 'why');
    const close = { code: 4400, reason: 'why', wasClean: true, by: 'peer' };
    expect(events.lost.mock.calls).toEqual([[close]]);
  });

  it('waits for the close event where the socket is not over yet', () => {
    const { ws, events } = linked();
    ws.onerror?.({});
    expect(events.lost).not.toHaveBeenCalled();
    ws.end(1006);
    expect(events.lost).toHaveBeenCalledOnce();
  });

  it('that was told to end says nothing of errors', async () => {
    const { ws, events, end } = linked();
    const ended = end();
    ws.block();
    ws.end();
    await ended;
    expect(events.lost).not.toHaveBeenCalled();
  });
});
