import { describe, expect, it } from 'vitest';
import { poll, sse } from '../../src/fallbacks';
import { type Gap, type Message, presence as presenceOf, websocket } from '../../src/index';
import { chance } from '../support/chance';
import { FakeFetch } from '../support/fake-fetch';
import { FakeWebSocket } from '../support/fake-web-socket';
import { type Realtime, realtime } from '../support/realtime';

/**
 * Random walks: connections break, servers forget, restart, refuse and leave things out, devices go
 * offline and sleep, listeners come and go. At every step nobody may see a message twice, out of
 * order, or after an unannounced hole; in the end everybody must have caught up, every publish that
 * resolved must be there exactly once, and nothing may be left behind. A failure names its seed;
 * those that once failed are kept at the end of the list.
 */
const seeds = [...Array.from({ length: 150 }, (_, i) => i + 1), 205, 399, 1192];
const steps = 120;
const rooms = ['a', 'b'] as const;

/** One listener, who believes nobody. */
class Witness {
  readonly leave: () => void;
  readonly name: string;
  #epoch: string | undefined;
  #last: number | undefined;
  #allowed = false;

  constructor(r: Realtime, name: string) {
    this.name = name;
    const channel = r.client.channel(name);
    channel.on('gap', (gap) => this.#gap(gap));
    this.leave = channel.subscribe((message) => this.#message(message));
  }

  get last(): number | undefined {
    return this.#last;
  }

  #gap({ position }: Gap): void {
    this.#allowed = true;
    if (position && position.epoch !== this.#epoch) this.#last = undefined;
  }

  #message({ epoch, offset }: Message): void {
    if (this.#last !== undefined && epoch === this.#epoch) {
      expect(offset, 'nothing twice or backwards').toBeGreaterThan(this.#last);
    }
    if (this.#last !== undefined && !this.#allowed) {
      expect(`${epoch} ${offset}`, 'no hole in silence').toBe(`${this.#epoch} ${this.#last + 1}`);
    }
    this.#allowed = false;
    this.#epoch = epoch;
    this.#last = offset;
  }
}

class Walk {
  readonly r: Realtime;
  readonly http: FakeFetch;
  readonly #chance: () => number;
  readonly witnesses: Witness[] = [];
  readonly resolved: number[] = [];
  published = 0;
  settled = 0;
  #epochs = 1;

  constructor(seed: number) {
    this.#chance = chance(seed);
    let http: FakeFetch | undefined;
    this.r = realtime({
      token: () => `t${this.#pick(1e9)}`,
      queue: { max: 8, overflow: this.#chance() < 0.5 ? 'reject' : 'drop-oldest' },
      memory: false,
      upgradeAfter: 2000,
      ...(this.#chance() < 0.5 && { transports: [websocket(), poll(), sse()] }),
      fetch: (...args) => (http as FakeFetch).fetch(...args),
    });
    http = new FakeFetch(this.r.server);
    this.http = http;
    this.r.clock.chance = this.#chance();
    for (const name of rooms) presenceOf(this.r.client.channel(name)).on('change', () => {});
  }

  #pick(n: number): number {
    return Math.floor(this.#chance() * n);
  }

  step(): void {
    const { r } = this;
    const { server, client, clock, network } = r;
    const room = rooms[this.#pick(2)] ?? 'a';
    const channel = server.channel(room);
    const actions: (() => void)[] = [
      () => server.publish(room),
      () => server.publish(room),
      () => server.publish(room),
      () => this.#publish(room),
      () => this.#publish(room),
      () => this.#publish(room),
      () => void (this.witnesses.length < 4 && this.witnesses.push(new Witness(r, room))),
      () => this.witnesses.splice(this.#pick(4), 1)[0]?.leave(),
      () => this.#conn()?.close([1006, 1001, 1012, 4452, 4451, 4529, 4500][this.#pick(7)] ?? 1006),
      () => this.#conn()?.close(1006),
      // Left out by a server with a fault.
      () => {
        const conn = this.#conn();
        const held = conn?.subscriptions.get(room);
        conn?.subscriptions.delete(room);
        server.publish(room);
        if (held) conn?.subscriptions.set(room, held);
      },
      () => this.#conn()?.say({ type: 'message', channel: room, ...channel.messages.at(-2) }),
      () => void channel.messages.splice(0, this.#pick(4)),
      () => {
        if (this.#pick(4) > 0) return;
        channel.epoch = `e${++this.#epochs}`;
        channel.top = 0;
        channel.messages = [];
        // Its subscribers are told by being cut off.
        for (const conn of server.conns) conn.close(1012);
      },
      () => server.presence(room, { join: [{ client: `x${this.#pick(5)}`, info: this.#pick(3) }] }),
      () => server.presence(room, { leave: [{ client: `x${this.#pick(5)}`, reason: 'left' }] }),
      () => {
        channel.version += this.#pick(3);
      },
      () =>
        void presenceOf(client.channel(room))
          .enter(this.#pick(9))
          .catch(() => {}),
      () =>
        void presenceOf(client.channel(room))
          .leave()
          .catch(() => {}),
      () => server.sessions.clear(),
      () => {
        server.sockets = (['serve', 'serve', 'refuse', 'hang'] as const)[this.#pick(4)] ?? 'serve';
      },
      () => {
        const fault = ([undefined, undefined, 'lost', 'unanswered'] as const)[this.#pick(4)];
        this.http.fault = () => fault;
      },
      () => {
        const dead = this.#pick(3) === 0;
        server.script = dead ? () => true : undefined;
      },
      () => network.emit('offline'),
      () => network.emit('online'),
      () => network.emit(this.#pick(3) === 0 ? 'suspend' : 'resume'),
      () => network.emit('wake'),
      () => clock.advance(this.#pick(500)),
      () => clock.advance(this.#pick(5000)),
      () => clock.advance(this.#pick(30_000)),
      () => clock.sleep(this.#pick(60_000)),
      () => this.#conn()?.say({ type: 'expiring', expires: 1 }),
    ];
    actions[this.#pick(actions.length)]?.();
  }

  #conn() {
    return this.r.server.conns.findLast(({ open }) => open);
  }

  #publish(room: string): void {
    const data = this.published++;
    this.r.client
      .channel(room)
      .publish(data)
      .then(() => this.resolved.push(data))
      .catch(() => {})
      .finally(() => this.settled++);
  }

  async settle(): Promise<void> {
    for (let i = 0; i < 4; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      await this.r.settle();
    }
  }

  check(): void {
    const wanted = FakeWebSocket.all.filter((ws) => !ws.closedWith && ws.readyState < 3);
    expect(wanted.length, 'at most a link and its better').toBeLessThanOrEqual(2);
    const own = this.r.server.published.flatMap(({ data }) =>
      typeof data === 'number' ? data : [],
    );
    expect(new Set(own).size, 'nothing is published twice').toBe(own.length);
    expect(this.r.client.queued).toBeLessThanOrEqual(8);
  }

  /** All is well again, and stays so for a while. */
  async calm(): Promise<void> {
    const { server, network, clock } = this.r;
    server.sockets = 'serve';
    server.script = undefined;
    this.http.fault = () => undefined;
    network.emit('resume');
    network.emit('online');
    for (let i = 0; i < 130; i++) {
      clock.advance(1000);
      await this.settle();
    }
  }
}

describe('a random walk of a client', () => {
  it.each(seeds)('keeps every promise: seed %i', async (seed) => {
    const walk = new Walk(seed);
    const { r } = walk;
    for (let i = 0; i < steps; i++) {
      walk.step();
      await walk.settle();
      walk.check();
    }
    await walk.calm();
    walk.check();
    expect(r.client.state).toBe('open');
    expect(r.client.snapshot.transport).toBe('websocket');
    for (const name of rooms) r.server.publish(name);
    await walk.settle();
    for (const { name, last } of walk.witnesses) expect(last).toBe(r.server.channel(name).top);
    for (const name of rooms) {
      const { members, complete, count } = presenceOf(r.client.channel(name)).snapshot;
      const there = r.server.channel(name).members;
      expect(complete).toBe(true);
      expect(count).toBe(there.size);
      expect(new Map(members.map((member) => [member.client, member]))).toEqual(there);
    }
    const arrived = new Set(r.server.published.map(({ data }) => data));
    for (const data of walk.resolved) expect(arrived).toContain(data);
    expect(walk.settled, 'every publish has an end').toBe(walk.published);

    void r.client.close();
    for (const ws of FakeWebSocket.all) if (ws.readyState < 3) ws.end(1000);
    await walk.settle();
    expect(r.clock.pending, 'no timer is left').toBe(0);
    expect(r.network.listeners).toBe(0);
  });
});
