import { act, render } from '@testing-library/react';
import { StrictMode } from 'react';
import { expect, it } from 'vitest';
import type { Client, Gap, Message } from '../../../client/src/index';
import { chance } from '../../../client/tests/support/chance';
import type { Conn } from '../../../client/tests/support/native-server';
import {
  AnywireProvider,
  type HistoryState,
  type OptimisticState,
  type PresenceState,
  type UseChannelResult,
  useChannel,
  useHistory,
  useOptimisticPublish,
  usePresence,
} from '../../src/index';
import { makeClient, network, pass, server, settle } from '../realtime';

/**
 * Random walks over a page under StrictMode: components come, go and change their channel while links
 * break, streams begin anew, servers forget, hold back and leave things out. At every step callbacks and
 * lists may have neither a message twice nor an unannounced hole; in the end all must have caught
 * up, and no row of an optimistic list be lost, doubled or stuck. A failure names its seed; those that once failed are at the end of the list.
 */
const seeds = [...Array.from({ length: 20 }, (_, i) => i + 1), 102, 184, 265, 311, 399, 477];
const steps = 200;
const rooms = ['a', 'b'] as const;
type Name = (typeof rooms)[number] | null;

const place = ({ epoch, offset }: { epoch: string | undefined; offset: number }) =>
  `${epoch}/${offset}`;

/** What one component is told, in the order in which it is. It believes nobody. */
class Witness {
  readonly got: string[] = [];
  /** A callback that throws disturbs nobody, so what is wrong is written down. */
  readonly faults: string[] = [];
  #last: Message | undefined;
  #allowed = false;

  readonly onMessage = (message: Message): void => {
    const last = this.#last;
    const hole = last && place(message) !== `${last.epoch}/${last.offset + 1}`;
    if (hole && !this.#allowed) this.faults.push(`${place(last)} then ${place(message)}`);
    if (this.got.includes(place(message))) this.faults.push(`${place(message)} twice`);
    this.got.push(place(message));
    this.#last = message;
    this.#allowed = false;
  };

  readonly onGap = (_: Gap): void => {
    this.#allowed = true;
  };
}

interface Seat {
  name: Name;
  witness: Witness;
  shown: string[];
}

/** A list that may have holes only where it says so. */
function checkHistory({ messages, gaps }: HistoryState<Message>): void {
  expect(new Set(messages.map(place)).size, 'no message twice in a list').toBe(messages.length);
  const marked = new Set(gaps.map(({ index }) => index));
  for (const [i, message] of messages.entries()) {
    const before = messages[i - 1];
    if (before && !marked.has(i)) {
      expect(place(message)).toBe(`${before.epoch}/${before.offset + 1}`);
    }
  }
}

class Walk {
  readonly client: Client = makeClient({ queue: { max: 6 } });
  readonly seats: Seat[] = [];
  channel: UseChannelResult<Message> | undefined;
  history: HistoryState<Message> | undefined;
  sent: OptimisticState<Message> | undefined;
  people: PresenceState<number> | undefined;
  chats: Name = 'a';
  /** Publishes that were confirmed, and those that were refused, by what they said. */
  readonly confirmed = new Map<unknown, string>();
  readonly refused = new Set<unknown>();
  readonly discarded = new Set<unknown>();
  #said = 0;
  #epochs = 1;
  #held: [Conn, never][] | undefined;
  readonly #chance: () => number;
  readonly #page = render(null);

  constructor(seed: number) {
    this.#chance = chance(seed);
  }

  pick(n: number): number {
    return Math.floor(this.#chance() * n);
  }

  // ---- the page

  readonly #Seat = ({ seat }: { readonly seat: Seat }) => {
    const { onMessage, onGap } = seat.witness;
    const { messages } = useChannel(seat.name, { onMessage, onGap });
    seat.shown = messages.map(place);
    return null;
  };

  readonly #Chat = ({ name }: { readonly name: Name }) => {
    this.history = useHistory(name, { pageSize: 4 });
    this.sent = useOptimisticPublish(name, { pageSize: 4 });
    this.people = usePresence<number>(name, 7);
    return null;
  };

  draw(): void {
    const { client, seats, chats } = this;
    const [Seat, Chat] = [this.#Seat, this.#Chat];
    this.#page.rerender(
      <StrictMode>
        <AnywireProvider client={client}>
          {seats.map((seat, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a seat stays where it is
            <Seat key={i} seat={seat} />
          ))}
          <Chat name={chats} />
        </AnywireProvider>
      </StrictMode>,
    );
  }

  leave(): void {
    this.#page.unmount();
  }

  /** A component that is given the name it has goes on as it was. */
  #sit(name: Name, at: number): void {
    if (this.seats[at]?.name === name) return;
    this.seats[at] = { name, witness: new Witness(), shown: [] };
    this.draw();
  }

  // ---- what happens

  step(): void {
    const room = rooms[this.pick(2)] ?? 'a';
    const channel = server.channel(room);
    const actions: (() => void)[] = [
      () => void server.publish(room, { data: 'other' }),
      () => void server.publish(room, { data: 'other' }),
      () => void server.publish(room, { data: 'other' }),
      () => this.say(),
      () => this.say(),
      () => this.say(),
      () => this.#sit([...rooms, null][this.pick(3)] ?? null, this.pick(this.seats.length + 1) % 3),
      () => this.#sit([...rooms, null][this.pick(3)] ?? null, this.pick(this.seats.length + 1) % 3),
      () => {
        this.seats.pop();
        this.draw();
      },
      () => {
        if (this.pick(4) === 0) this.change(([...rooms, null] as const)[this.pick(3)] ?? null);
      },
      () => this.#conn()?.close([1006, 1001, 1012, 4500, 4529][this.pick(5)] ?? 1006),
      () => this.#conn()?.close(1006),
      () => this.#leaveOut(room),
      () => void channel.messages.splice(0, this.pick(4)),
      () => {
        if (this.pick(3) === 0) this.#anew(room);
      },
      () =>
        void server.presence(room, { join: [{ client: `x${this.pick(5)}`, info: this.pick(3) }] }),
      () => void server.presence(room, { leave: [{ client: `x${this.pick(5)}`, reason: 'left' }] }),
      () => {
        channel.version += this.pick(3);
      },
      () => this.#hold(),
      () => this.release(),
      () => network.emit(this.pick(2) ? 'online' : 'offline'),
      () => void this.history?.fetchOlder(),
      () => void this.sent?.fetchOlder(),
      () => {
        const failed = this.sent?.messages.find((message) => message.failed);
        if (!failed) return;
        if (this.pick(2)) void this.sent?.retry(failed.key);
        else {
          this.sent?.discard(failed.key);
          this.discarded.add(failed.data);
        }
      },
    ];
    (actions[this.pick(actions.length)] as () => void)();
  }

  change(name: Name): void {
    this.chats = name;
    this.draw();
  }

  say(): void {
    const said = `${this.chats} ${++this.#said}`;
    this.sent?.publish(said).then(
      (position) => this.confirmed.set(said, place(position)),
      () => this.refused.add(said),
    );
  }

  #conn(): Conn | undefined {
    return server.conns.findLast(({ open }) => open);
  }

  /** By a server with a fault. */
  #leaveOut(room: string): void {
    const conn = this.#conn();
    const held = conn?.subscriptions.get(room);
    conn?.subscriptions.delete(room);
    server.publish(room, { data: 'left out' });
    if (held) conn?.subscriptions.set(room, held);
  }

  #anew(room: string): void {
    const channel = server.channel(room);
    Object.assign(channel, { epoch: `e${++this.#epochs}`, top: 0, messages: [] });
    channel.keys.clear();
    for (const conn of server.conns) conn.close(1012);
  }

  #hold(): void {
    this.#held ??= [];
    server.script = (conn, message) => {
      this.#held?.push([conn, message as never]);
      return true;
    };
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    server.script = undefined;
    for (const [conn, message] of held) server.take(conn, message);
  }

  // ---- what must be so

  check(): void {
    for (const { witness, shown } of this.seats) {
      expect(witness.faults).toEqual([]);
      // A list is drawn once a frame, and so behind the callbacks; never ahead, and never otherwise.
      expect(witness.got.slice(0, shown.length)).toEqual(shown);
    }
    if (this.history) checkHistory(this.history);
    if (!this.sent) return;
    const { messages } = this.sent;
    expect(new Set(messages.map(({ key }) => key)).size, 'no key twice').toBe(messages.length);
    const arrived = messages.filter(({ offset, failed }) => Number.isFinite(offset) && !failed);
    expect(new Set(arrived.map(place)).size, 'no row twice').toBe(arrived.length);
  }

  checkEnd(): void {
    this.check();
    const { chats, sent, history, people } = this;
    for (const { name, witness, shown } of this.seats) {
      expect(shown).toEqual(witness.got);
      if (name === null) continue;
      const last = server.channel(name);
      expect(shown.at(-1), `has caught up with ${name}`).toBe(`${last.epoch}/${last.top}`);
    }
    if (chats === null) return;
    const { epoch, top, members, messages: truth } = server.channel(chats);
    expect(history?.messages.at(-1)).toMatchObject({ epoch, offset: top });
    expect(sent?.messages.filter(({ pending }) => pending)).toEqual([]);
    const rows = sent?.messages.filter(({ failed }) => !failed) ?? [];
    expect(rows.at(-1), 'nothing is stuck at the end').toMatchObject({ epoch, offset: top });
    expect(rows.map(place)).toEqual([...rows.map(place)].sort(byPlace));
    // What is there was published once, and what was confirmed in this stream is there.
    const said = truth.map(({ text }) => text).filter(Boolean);
    expect(new Set(said).size, 'nothing is published twice').toBe(said.length);
    for (const { offset, text } of truth) {
      if (text && offset > top - 4) expect(rows.map(({ data }) => data)).toContain(text);
    }
    const ids = (list: readonly { client?: unknown }[]) => list.map(({ client }) => client).sort();
    expect(people?.status).toBe('live');
    expect(ids(people?.members ?? [])).toEqual(ids([...members.values()]));
    expect(people?.self).toMatchObject({ info: 7 });
  }
}

/** Epochs are `e` and a number, and later ones are larger. */
function byPlace(a: string, b: string): number {
  const [[e = 0, o = 0] = [], [f = 0, p = 0] = []] = [a, b].map((one) =>
    one.slice(1).split('/').map(Number),
  );
  return e - f || o - p;
}

it.each(seeds)('walk %i', async (seed) => {
  const walk = new Walk(seed);
  act(() => walk.draw());
  await settle();
  for (let i = 0; i < steps; i++) {
    await act(async () => walk.step());
    // Sometimes everybody has time to answer, sometimes the next thing happens before.
    if (walk.pick(2)) await settle();
    if (walk.pick(8) === 0) await pass(walk.pick(600));
    walk.check();
  }
  await act(async () => {
    walk.release();
    network.emit('online');
  });
  await pass(25_000);
  for (const room of rooms) await act(async () => void server.publish(room, { data: 'end' }));
  await pass(8000);
  for (const room of rooms) await act(async () => void server.publish(room, { data: 'the end' }));
  await settle();
  walk.checkEnd();
  act(() => walk.leave());
});
