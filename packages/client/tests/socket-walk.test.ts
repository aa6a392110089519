import { describe, expect, it } from 'vitest';
import { RAW_PROTOCOL, type SocketOptions, type State } from '../src/index';
import { chance } from './support/chance';
import { FakeWebSocket } from './support/fake-web-socket';
import { type Harness, harness } from './support/harness';

/**
 * Random walks: users, servers, networks and clocks do whatever they like in any order, and the
 * promises must hold after every single step. A failure names its seed; put it into `seeds` to
 * keep it.
 */
const seeds = Array.from({ length: 100 }, (_, i) => i + 1);
const steps = 200;

const allowed: Record<State, readonly State[]> = {
  idle: ['connecting', 'closed'],
  connecting: ['open', 'waiting', 'offline', 'closed', 'failed', 'connecting'],
  open: ['waiting', 'offline', 'closed', 'failed', 'connecting'],
  waiting: ['connecting', 'offline', 'closed'],
  offline: ['connecting', 'open', 'waiting', 'closed', 'failed'],
  closed: ['connecting'],
  failed: ['connecting', 'closed'],
};

class Walk {
  readonly h: Harness;
  readonly #chance: () => number;
  readonly #protocol: string;
  #offered = 0;

  constructor(seed: number) {
    this.#chance = chance(seed);
    const own = this.#chance() < 0.5;
    this.#protocol = own ? RAW_PROTOCOL : '';
    const options: Partial<SocketOptions> = {
      heartbeat: own,
      queue: { max: 4, ttl: 8000, overflow: this.#chance() < 0.5 ? 'reject' : 'drop-oldest' },
      bufferedMax: 50,
      ...(this.#chance() < 0.3 && { retries: 3 }),
    };
    this.h = harness(options);
    this.h.clock.chance = this.#chance();
  }

  step(): void {
    const { h } = this;
    const pick = (n: number) => Math.floor(this.#chance() * n);
    const actions: (() => void)[] = [
      () => h.socket.connect(),
      () => h.socket.connect(),
      () =>
        this.#some(
          (ws) => ws.readyState === 0,
          (ws) => ws.accept(this.#protocol),
        ),
      () =>
        this.#some(
          (ws) => ws.readyState === 0,
          (ws) => ws.accept(this.#protocol),
        ),
      () =>
        this.#some(
          (ws) => ws.readyState < 3,
          (ws) => ws.end([1000, 1001, 1006, 1013][pick(4)]),
        ),
      () =>
        this.#some(
          (ws) => ws.readyState < 3,
          (ws) => ws.end(pick(4) === 0 ? 1008 : 1006),
        ),
      () =>
        this.#some(
          (ws) => ws.readyState === 1,
          (ws) => ws.say(pick(2) === 0 ? '' : 'x'),
        ),
      () =>
        this.#some(
          (ws) => ws.readyState < 2,
          (ws) => (ws.bufferedAmount = pick(2) * 60),
        ),
      () =>
        this.#some(
          (ws) => ws.readyState < 2,
          (ws) => (ws.bufferedAmount = pick(2) * 60),
        ),
      () => void h.socket.send(`m${this.#offered++}`),
      () => void h.socket.send(`m${this.#offered++}`),
      () => void h.socket.send(`m${this.#offered++}`),
      () => void h.socket.send(`m${this.#offered++}`),
      () => void h.socket.send(`m${this.#offered++}`),
      () => h.network.emit('offline'),
      () => h.network.emit('online'),
      () => h.network.emit(pick(3) === 0 ? 'suspend' : 'resume'),
      () => h.network.emit('wake'),
      () => h.clock.advance(pick(500)),
      () => h.clock.advance(pick(30_000)),
      () => h.clock.sleep(pick(60_000)),
      () => (pick(8) === 0 ? void h.socket.close() : undefined),
      () => (pick(4) === 0 ? h.socket.reconnect() : undefined),
    ];
    actions[pick(actions.length)]?.();
  }

  #some(which: (ws: FakeWebSocket) => boolean, act: (ws: FakeWebSocket) => void): void {
    const found = FakeWebSocket.all.filter(which);
    const one = found[Math.floor(this.#chance() * found.length)];
    if (one) act(one);
  }

  /** What was handed to any WebSocket, heartbeats left out. */
  sent(): string[] {
    return FakeWebSocket.all.flatMap((ws) => ws.sent.filter((data) => data !== '')) as string[];
  }

  check(): void {
    const { h } = this;
    const { state, retryAt, attempt, dropped, opens } = h.socket.snapshot;
    const wanted = FakeWebSocket.all.filter(
      (ws) => ws.closedWith === undefined && ws.readyState < 3,
    );
    expect(wanted.length, 'at most one link is wanted').toBeLessThanOrEqual(1);
    if (state === 'open') expect(wanted[0]?.readyState, 'open means open').toBeLessThanOrEqual(2);
    if (state === 'closed' || state === 'failed' || state === 'idle') {
      expect(wanted, 'no link at rest').toHaveLength(0);
      expect(h.network.listeners, 'no listener at rest').toBe(0);
      expect(h.socket.queued === 0 || state === 'idle', 'no queue at rest').toBe(true);
    } else {
      expect(h.network.listeners, 'exactly one listener at work').toBe(1);
    }
    if (retryAt !== undefined) expect(['waiting', 'offline']).toContain(state);
    if (state === 'open') expect(attempt).toBe(0);
    expect(opens).toBe(FakeWebSocket.all.filter((ws) => ws.announced).length);

    const sent = this.sent();
    expect(new Set(sent).size, 'nothing is sent twice').toBe(sent.length);
    const order = sent.map((text) => Number(text.slice(1)));
    expect(order, 'order is kept').toEqual([...order].sort((a, b) => a - b));
    const given = h.drops.filter(({ reason }) => reason !== 'unsent').length;
    expect(sent.length + given + h.socket.queued, 'every message is accounted for').toBe(
      this.#offered,
    );
    expect(dropped).toBe(h.drops.reduce((sum, { count }) => sum + count, 0));
  }

  checkStates(): void {
    let before: State = 'idle';
    for (const state of this.h.states) {
      expect(allowed[before], `${before} -> ${state}`).toContain(state);
      before = state;
    }
  }
}

describe('a random walk', () => {
  it.each(seeds)('keeps every promise at every step: seed %i', (seed) => {
    const walk = new Walk(seed);
    for (let i = 0; i < steps; i++) {
      walk.step();
      walk.check();
    }
    walk.checkStates();
    void walk.h.socket.close();
    walk.check();
    for (const ws of FakeWebSocket.all) if (ws.readyState < 3) ws.end(1000);
    expect(walk.h.clock.pending, 'no timer is left').toBe(0);
  });
});
