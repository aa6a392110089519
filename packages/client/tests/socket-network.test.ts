import { describe, expect, it } from 'vitest';
import { browserNetwork, type NetworkEvent, RAW_PROTOCOL } from '../src/index';
import { harness, opened } from './support/harness';

describe('the device goes offline', () => {
  it('shows at once, from every live state', () => {
    const open = opened();
    open.network.emit('offline');
    expect(open.socket.state).toBe('offline');

    const waiting = opened();
    waiting.ws().end();
    waiting.network.emit('offline');
    expect(waiting.socket.state).toBe('offline');

    const connecting = harness();
    connecting.socket.connect();
    connecting.network.emit('offline');
    expect(connecting.socket.state).toBe('offline');
  });

  it('keeps the link in doubt and queues what is sent', () => {
    const h = opened();
    h.network.emit('offline');
    expect(h.socket.send('a').status).toBe('queued');
    expect(h.ws().sent).toEqual([]);
    expect(h.ws().closedWith).toBeUndefined();
  });

  it('believes what arrives rather than the device', () => {
    const h = opened();
    h.network.emit('offline');
    h.socket.send('a');
    h.clock.advance(1000);
    h.ws().say('still here');
    expect(h.socket.state).toBe('open');
    expect(h.messages).toEqual(['still here']);
    expect(h.ws().sent).toEqual(['a']);
    expect(h.opens).toEqual([1]);
  });

  it('does not believe what may have been under way', () => {
    const h = opened();
    h.network.emit('offline');
    h.socket.send('a');
    h.clock.advance(999);
    h.ws().say('sent before');
    expect(h.socket.state).toBe('offline');
    expect(h.messages).toEqual(['sent before']);
    expect(h.ws().sent).toEqual([]);
  });

  it('tests the link where it can, and returns to open when it is answered', () => {
    const h = opened({ heartbeat: true }, RAW_PROTOCOL);
    h.network.emit('offline');
    h.ws().say('x');
    h.clock.advance(1000);
    expect(h.ws().sent).toEqual(['']);
    h.ws().say('');
    expect(h.states).toEqual(['connecting', 'open', 'offline', 'open']);
    expect(h.messages).toEqual(['x']);
  });

  it('gives the link up when the test stays unanswered, and stays offline', () => {
    const h = opened({ heartbeat: true }, RAW_PROTOCOL);
    h.network.emit('offline');
    h.clock.advance(1000 + 2500);
    expect(h.socket.state).toBe('offline');
    expect(h.closes).toMatchObject([{ by: 'heartbeat' }]);
    expect(h.socket.snapshot.retryAt).toBeDefined();
  });

  it('stays offline when the link breaks', () => {
    const h = opened();
    h.network.emit('offline');
    h.ws().end();
    expect(h.socket.state).toBe('offline');
  });

  it('tries on at a slow pace, for the device may be wrong', () => {
    const h = opened();
    h.network.emit('offline');
    h.ws().end();
    h.clock.advance(9999);
    expect(h.made()).toBe(1);
    h.clock.advance(10_001);
    expect(h.made()).toBe(2);
    expect(h.socket.state).toBe('connecting');
    h.ws().end();
    expect(h.socket.state).toBe('offline');
    h.retry();
    h.ws().accept();
    expect(h.socket.state).toBe('open');
  });

  it('slows a try down that was due soon', () => {
    const h = opened();
    h.ws().end();
    h.network.emit('offline');
    h.clock.advance(5000);
    expect(h.made()).toBe(1);
  });

  it('tries once even when the device was offline from the start', () => {
    const h = harness();
    h.network.online = false;
    h.socket.connect();
    expect(h.socket.state).toBe('connecting');
    h.ws().end();
    expect(h.socket.state).toBe('offline');
  });
});

describe('the device comes online', () => {
  it('connects at once when the link had gone', () => {
    const h = opened();
    h.network.emit('offline');
    h.ws().end();
    h.network.emit('online');
    expect(h.socket.state).toBe('connecting');
    h.ws().accept();
    expect(h.opens).toEqual([1, 2]);
  });

  it('replaces a link that cannot be tested', () => {
    const h = opened();
    const old = h.ws();
    h.network.emit('offline');
    h.socket.send('a');
    h.network.emit('online');
    expect(old.closedWith).toBeDefined();
    expect(h.closes).toMatchObject([{ by: 'network' }]);
    h.ws().accept();
    expect(h.made()).toBe(2);
    expect(h.ws().sent).toEqual(['a']);
  });

  it('keeps a link that answers', () => {
    const h = opened({ heartbeat: true }, RAW_PROTOCOL);
    h.network.emit('offline');
    h.network.emit('online');
    h.ws().say('');
    expect(h.socket.state).toBe('open');
    expect(h.made()).toBe(1);
  });

  it('is open again within a second when the old link does not answer', () => {
    const h = opened({ heartbeat: true }, RAW_PROTOCOL);
    h.network.emit('offline');
    h.clock.advance(100);
    h.network.emit('online');
    h.clock.advance(500 + 250);
    expect(h.made()).toBe(2);
    h.ws().accept(RAW_PROTOCOL);
    expect(h.socket.state).toBe('open');
  });

  it('begins anew when a try was hanging', () => {
    const h = harness();
    h.socket.connect();
    h.network.emit('offline');
    const hanging = h.ws();
    h.network.emit('online');
    expect(hanging.closedWith).toBeDefined();
    expect(h.made()).toBe(2);
    expect(h.socket.state).toBe('connecting');
  });

  it('hurries a try that is due later', () => {
    const h = opened({ backoff: { jitter: 'none', min: 5000 } });
    h.ws().end();
    h.clock.advance(300);
    h.network.emit('online');
    expect(h.made()).toBe(2);
  });
});

describe('waking up', () => {
  it('tests an open link with a short wait', () => {
    const h = opened({ heartbeat: true }, RAW_PROTOCOL);
    h.network.emit('wake');
    expect(h.ws().sent).toEqual(['']);
    h.ws().say('');
    expect(h.socket.state).toBe('open');
    h.network.emit('wake');
    h.clock.advance(2500);
    expect(h.socket.state).toBe('waiting');
  });

  it('leaves an open link alone that cannot be tested', () => {
    const h = opened();
    h.network.emit('wake');
    h.clock.advance(60_000);
    expect(h.socket.state).toBe('open');
    expect(h.made()).toBe(1);
  });

  it('tries at once when waiting', () => {
    const h = opened({ backoff: { jitter: 'none', min: 5000 } });
    h.ws().end();
    h.clock.advance(250);
    h.network.emit('wake');
    expect(h.socket.state).toBe('connecting');
  });

  it('makes one try of focus and visibility together, however often they come', () => {
    const h = opened({ backoff: { jitter: 'none', min: 5000 } });
    h.ws().end();
    h.clock.advance(250);
    for (let i = 0; i < 50; i++) {
      h.network.emit('wake');
      h.ws().end();
    }
    expect(h.made()).toBe(2);
  });

  it('does not try while the device is offline', () => {
    const h = opened();
    h.network.emit('offline');
    h.ws().end();
    h.clock.advance(1000);
    h.network.emit('wake');
    expect(h.made()).toBe(1);
  });

  it('tries when the news of being online was missed', () => {
    const h = opened();
    h.network.emit('offline');
    h.ws().end();
    h.clock.advance(1000);
    h.network.online = true;
    h.network.emit('wake');
    expect(h.made()).toBe(2);
  });

  it('finds a link dead that died while the device slept', () => {
    const h = opened({ heartbeat: true }, RAW_PROTOCOL);
    h.clock.sleep(3_600_000);
    h.network.emit('wake');
    expect(h.ws().sent.length).toBeGreaterThan(0);
    h.clock.advance(2500);
    expect(h.socket.state).toBe('waiting');
  });
});

describe('the back/forward cache', () => {
  it('closes on the way in, so that the page may be kept, and opens on the way out', () => {
    const h = opened();
    h.network.emit('suspend');
    expect(h.ws().closedWith).toEqual([1000, 'page hidden']);
    expect(h.socket.snapshot).toMatchObject({ state: 'waiting', retryAt: undefined });
    h.clock.advance(1_000_000);
    expect(h.made()).toBe(1);
    h.network.emit('resume');
    expect(h.made()).toBe(2);
    h.ws().accept();
    expect(h.socket.state).toBe('open');
  });

  it('keeps what is sent meanwhile', () => {
    const h = opened();
    h.network.emit('suspend');
    expect(h.socket.send('a').status).toBe('queued');
    h.network.emit('resume');
    h.ws().accept();
    expect(h.ws().sent).toEqual(['a']);
  });

  it('calls off a try that was due', () => {
    const h = opened();
    h.ws().end();
    h.network.emit('suspend');
    h.clock.advance(100_000);
    expect(h.made()).toBe(1);
  });

  it('is not disturbed by the network while inside', () => {
    const h = opened();
    h.network.emit('suspend');
    h.network.emit('offline');
    h.network.emit('online');
    expect(h.made()).toBe(1);
    h.network.emit('resume');
    expect(h.made()).toBe(2);
  });

  it('is left by connect(), too', () => {
    const h = opened();
    h.network.emit('suspend');
    h.socket.connect();
    h.ws().accept();
    h.network.emit('resume');
    expect(h.socket.state).toBe('open');
    expect(h.made()).toBe(2);
  });
});

describe('browserNetwork', () => {
  function page() {
    const document = Object.assign(new EventTarget(), { visibilityState: 'visible' });
    const navigator = { onLine: true };
    return { page: Object.assign(new EventTarget(), { document, navigator }), document, navigator };
  }

  it('turns the events of page and document into five', () => {
    const { page: window, document } = page();
    const events: NetworkEvent[] = [];
    const leave = browserNetwork(window).subscribe((event) => events.push(event));
    for (const name of ['online', 'offline', 'focus', 'pagehide', 'pageshow']) {
      window.dispatchEvent(new Event(name));
    }
    document.dispatchEvent(new Event('resume'));
    document.dispatchEvent(new Event('visibilitychange'));
    document.visibilityState = 'hidden';
    document.dispatchEvent(new Event('visibilitychange'));
    expect(events).toEqual(['online', 'offline', 'wake', 'suspend', 'resume', 'wake', 'wake']);
    leave();
    window.dispatchEvent(new Event('online'));
    expect(events).toHaveLength(7);
  });

  it('asks the navigator each time', () => {
    const { page: window, navigator } = page();
    const network = browserNetwork(window);
    expect(network.online).toBe(true);
    navigator.onLine = false;
    expect(network.online).toBe(false);
  });

  it('says online and is silent where there is no page', () => {
    const network = browserNetwork({});
    expect(network.online).toBe(true);
    expect(() => network.subscribe(() => {})()).not.toThrow();
    expect(browserNetwork().online).toBe(true);
  });
});
