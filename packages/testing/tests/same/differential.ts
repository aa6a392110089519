import type { WireMessage } from '@anywire/client';
import { expect } from 'vitest';
import { type Raw, Stage, type World } from './stage';
import { chance } from './walk';

/**
 * The same commands, made by chance, said to two servers, whose answers must be the same but for
 * what each makes up itself: ids, epochs, secrets and times.
 */

const kinds = ['open', 'short', 'bare', 'own', 'users', 'crowd'];
const odd = [null, 5, '', 'x', [], {}, true, -1, 1.5, 'ä'.repeat(200)];
const long = 'x'.repeat(300);

type Pick = (n: number) => number;
type Members = Record<string, unknown>;

/** What one server has made up, by what it stands for. */
class Names {
  readonly #known = new Map<unknown, string>();
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  of(value: unknown): unknown {
    if (value === undefined) return undefined;
    const known = this.#known.get(value) ?? `${this.#prefix}${this.#known.size + 1}`;
    this.#known.set(value, known);
    return known;
  }
}

/** One of the two servers, with the same connections as the other has. */
class Side {
  readonly stage = new Stage();
  readonly raws: Raw[] = [];
  readonly sessions: unknown[] = [];
  readonly epochs = new Map<string, string>();
  readonly #clients = new Names('client');
  readonly #firsts = new Map<string, unknown>();

  constructor(world: World) {
    this.stage.world = world;
  }

  async connect(at: number, connect: Members): Promise<unknown> {
    const raw = await this.stage.raw();
    this.raws[at] = raw;
    const reply = await raw.ask('connect', connect);
    this.sessions[at] = reply.session;
    const { server: _, ...rest } = this.#plain(reply);
    return rest;
  }

  async ask(at: number, type: string, members: Members): Promise<unknown> {
    const reply = await (this.raws[at] as Raw).ask(type, members);
    const { channel } = members;
    if (typeof reply.epoch === 'string') this.epochs.set(String(channel), reply.epoch);
    return this.#plain({ ...reply, channel: reply.channel ?? channel });
  }

  /** What was pushed, by channel, as far as time has no part in it. */
  pushed(at: number): unknown {
    const told: Record<string, unknown[]> = {};
    for (const push of (this.raws[at] as Raw).pushes.splice(0)) {
      if (['presence', 'occupancy', 'advance'].includes(push.type)) continue;
      const about = String(push.channel ?? push.pattern);
      told[about] ??= [];
      told[about].push(this.#plain(push));
    }
    return Object.fromEntries(Object.entries(told).sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Whether it is the one that the channel has had from the beginning. */
  #isFirst(channel: string, epoch: unknown): boolean {
    const first = this.#firsts.get(channel) ?? epoch;
    this.#firsts.set(channel, first);
    return first === epoch;
  }

  #plain({ session: _, time: __, message: ___, expires: ____, ...rest }: WireMessage): Members {
    const { client, epoch, messages, members } = rest;
    return {
      ...rest,
      ...(typeof rest.id === 'number' && { id: 'its' }),
      ...(client !== undefined && { client: this.#clients.of(client) }),
      ...(epoch !== undefined && { epoch: this.#isFirst(String(rest.channel), epoch) }),
      ...(Array.isArray(messages) && { messages: messages.map((one) => this.#plain(one)) }),
      // Their order is that of ids, and their number may lag behind.
      ...(Array.isArray(members) && { members: 'some' }),
      ...(rest.type === 'members' && { epoch: true, version: 0, count: 0, users: 0, more: false }),
      ...(rest.type === 'occupancy' && { subscribers: 0, count: 0, users: 0 }),
    };
  }
}

/** Makes up commands; what one server knows by a name of its own is left to be put in. */
class Maker {
  readonly #pick: Pick;
  readonly #seed: number;

  constructor(pick: Pick, seed: number) {
    this.#pick = pick;
    this.#seed = seed;
  }

  #of<T>(values: readonly T[]): T {
    return values[this.#pick(values.length)] as T;
  }

  /** With a chance of one in n. */
  #rarely(n: number): boolean {
    return this.#pick(n) === 0;
  }

  channel(): unknown {
    if (this.#rarely(25)) return this.#of(odd);
    if (this.#rarely(12)) return this.#of(['$user:u0', '$user:u1', '$other', '$user:']);
    return `${this.#of(kinds)}:${this.#seed}-${this.#pick(2)}`;
  }

  #pattern(): unknown {
    if (this.#rarely(12)) return this.#of(odd);
    return this.#of([
      `open:${this.#seed}-*`,
      `own:${this.#seed}**`,
      `*:${this.#seed}-?`,
      'own:*',
      '*',
    ]);
  }

  /** Each with a chance of one in three, and now and then of the wrong kind. */
  #some(values: Readonly<Record<string, readonly unknown[]>>): Members {
    const members: Members = {};
    for (const [name, choices] of Object.entries(values)) {
      if (this.#rarely(3)) members[name] = this.#of(this.#rarely(12) ? odd : choices);
    }
    return members;
  }

  #tags(): readonly unknown[] {
    const { length: _, ...many } = Array(17).fill('x');
    return [{}, { a: '1' }, { a: '2', b: '1' }, { a: long }, { [long]: 'x' }, { a: 1 }, many];
  }

  claims(): Members {
    const capability = this.#of([
      { [`own:${this.#seed}-0`]: ['subscribe', 'publish', 'history'] },
      { '*': ['*'] },
      { 'own:*': ['presence', 'subscribe'], '$user:*': ['publish'] },
      { 'o?n:*': ['publish'] },
      {},
    ]);
    return {
      ...(this.#rarely(4) ? {} : { sub: `u${this.#pick(2)}` }),
      ...(this.#rarely(3) ? {} : { capability }),
      ...(this.#rarely(4) && { channels: [`own:${this.#seed}-1`, `open:${this.#seed}-0`] }),
      ...(this.#rarely(3) && { info: { seed: this.#seed } }),
    };
  }

  command(): [type: string, members: Members] {
    const type = this.#of([
      ...['subscribe', 'subscribe', 'subscribe', 'unsubscribe', 'publish', 'publish', 'publish'],
      ...['publish', 'history', 'history', 'enter', 'leave', 'members', 'occupancy', 'ping', 'rpc'],
      ...['auth', 'connect', 'fly'],
    ]);
    const channel = this.channel();
    const about = this.#rarely(30) ? {} : { channel };
    switch (type) {
      case 'subscribe':
        return [type, this.#subscribe(about)];
      case 'unsubscribe':
        return [type, this.#rarely(4) ? { pattern: this.#pattern() } : about];
      case 'publish':
        return [type, { ...about, ...this.#publish() }];
      case 'history':
        return [type, { ...about, ...this.#history() }];
      case 'enter':
        return [
          type,
          { ...about, ...this.#some({ info: [1, null, { a: 'x' }, long.repeat(20)] }) },
        ];
      case 'members':
        return [type, { ...about, ...this.#some({ limit: [1, 5, 1000, 1001, 0], after: [''] }) }];
      case 'rpc':
        return [type, this.#some({ method: ['sum', long], data: [1, null] })];
      case 'auth':
        return [type, this.#rarely(3) ? { token: this.#of(odd) } : { claims: this.claims() }];
      default:
        return [type, about];
    }
  }

  #subscribe(about: Members): Members {
    const more = this.#some({
      presence: [false, false, true],
      occupancy: [false, true],
      own: [true, false],
      filter: [{}, { a: ['1', '2'] }, { a: ['1'], b: ['1'] }, { a: [] }, { a: ['x', 5] }],
    });
    if (this.#rarely(8)) return { ...more, pattern: this.#pattern() };
    const cursor = this.#of([
      {},
      {},
      { rewind: this.#of([0, 1, 3, 100, -1]) },
      { since: this.#of(odd) },
      { since: { epoch: 'f'.repeat(16), offset: this.#pick(9) } },
      { since: { epoch: 'its', offset: this.#pick(12) } },
      { since: { epoch: 'its', offset: this.#pick(12) } },
    ]);
    return { ...about, ...more, ...cursor };
  }

  #publish(): Members {
    const payload = this.#of<Members>([
      { data: { n: this.#pick(3) } },
      { data: null },
      { text: this.#of(['', 'x', 'ä😀\u0000']) },
      { binary: this.#of(['', 'AP+A', 'AAA', '!!!!', 5]) },
      this.#rarely(3) ? {} : { data: 1 },
      this.#rarely(3) ? { data: 1, text: 'x' } : { data: [1.5, true, 'y'] },
    ]);
    return {
      ...payload,
      ...this.#some({
        event: ['', 'chat', long],
        messageId: ['', 'm1', long],
        idempotencyKey: ['', 'k1', 'k2', 'k2', long],
        conflationKey: ['c', long],
        tags: this.#tags(),
      }),
    };
  }

  #history(): Members {
    return this.#some({
      after: [0, 1, 3, 100, 2 ** 53],
      before: [0, 1, 4, 100],
      limit: [1, 2, 1000, 0],
      order: ['forward', 'backward', 'sideways'],
      epoch: ['f'.repeat(16), 'its', 'its'],
      from: [0, 9e12],
      to: [9e12, 1],
    });
  }
}

/** Puts in what this server calls it. */
function put(side: Side, { claims, ...members }: Members): Members {
  const epoch = side.epochs.get(String(members.channel)) ?? 'e'.repeat(16);
  const { since } = members;
  return {
    ...members,
    ...(claims !== undefined && { token: side.stage.token(claims as object) }),
    ...(members.epoch === 'its' && { epoch }),
    ...((since as Members | undefined)?.epoch === 'its' && {
      since: { ...(since as Members), epoch },
    }),
  };
}

/** Says so many commands of this seed to both, and compares what they answer and push. */
export async function compare(one: World, two: World, seed: number, steps: number): Promise<void> {
  const pick = chance(seed);
  const maker = new Maker(pick, seed);
  const sides = [new Side(one), new Side(two)];
  const both = (act: (side: Side) => Promise<unknown>) => Promise.all(sides.map(act));
  const said: unknown[] = [];
  const check = ([a, b]: readonly unknown[]) => {
    expect({ ...(a as object), after: said }).toEqual({ ...(b as object), after: said });
  };
  const enter = async (at: number, resume: boolean) => {
    const claims = maker.claims();
    said.push(['connect', at, claims, resume]);
    check(
      await both((side) => {
        const session = resume ? side.sessions[at] : undefined;
        return side.connect(at, put(side, { claims, ...(session ? { session } : {}) }));
      }),
    );
  };
  const flush = async () => {
    // Whatever was on its way has come before the answers.
    for (let at = 0; at < 3; at++) {
      await both((side) => side.ask(at, 'ping', {}));
      const [a, b] = sides.map((side) => side.pushed(at));
      expect({ at, pushed: a, after: said }).toEqual({ at, pushed: b, after: said });
    }
  };
  for (let at = 0; at < 3; at++) await enter(at, false);
  for (let step = 0; step < steps; step++) {
    const at = pick(3);
    if (pick(25) === 0) {
      await flush();
      for (const { raws } of sides) raws[at]?.leave();
      await enter(at, pick(2) === 0);
      continue;
    }
    const [type, members] = maker.command();
    said.push([type, at, members]);
    if (said.length > 30) said.shift();
    check(
      await both(async (side) => {
        const { time: _, ...reply } = (await side.ask(at, type, put(side, members))) as Members;
        return reply;
      }),
    );
    if (pick(8) === 0) await flush();
  }
  await flush();
  await both(async (side) => side.stage.clear());
}
