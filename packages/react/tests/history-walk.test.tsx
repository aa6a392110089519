import { describe, expect, it } from 'vitest';
import type { Message, NoEvents } from '../../client/src/index';
import { chance } from '../../client/tests/support/chance';
import { type HistoryState, HistoryView } from '../src/history-view';
import { cut, makeClient, pass, server, settle } from './realtime';

type State = HistoryState<Message>;
const label = ({ epoch, offset }: Message) => `${epoch}/${offset}`;

/** What must be so at every moment: no message twice, and no hole that is not a gap. */
function check({ messages, gaps }: State, limit: number): void {
  expect(messages.length).toBeLessThanOrEqual(limit);
  expect(new Set(messages.map(label)).size).toBe(messages.length);
  const marked = new Set(gaps.map(({ index }) => index));
  for (const [i, message] of messages.entries()) {
    const before = messages[i - 1];
    if (!before || marked.has(i)) continue;
    expect(label(message)).toBe(`${before.epoch}/${before.offset + 1}`);
  }
}

/** A page that is scrolled, hidden and shown, on a line that breaks, with a server that forgets. */
async function walk(seed: number, steps: number): Promise<void> {
  const next = chance(seed);
  const pick = (count: number) => Math.floor(next() * count);
  const client = makeClient();
  const options = { pageSize: 1 + pick(8), limit: 8 + pick(12) };
  const view = new HistoryView<unknown, unknown, unknown, NoEvents>(
    client,
    'room',
    options,
    undefined,
  );
  let detach: (() => void) | undefined = view.attach();
  const room = server.channel('room');
  const publish = (count: number) => {
    for (let i = 0; i < count; i++) server.publish('room', { data: i });
  };
  const actions = [
    () => publish(1),
    () => publish(1 + pick(5)),
    () => publish(pick(30)),
    () => void view.getSnapshot().fetchOlder(),
    () => void view.getSnapshot().fetchOlder(),
    () => void view.getSnapshot().fetchNewer(),
    () => void view.getSnapshot().toLive(),
    () => void server.last.close(1006),
    () => {
      detach?.();
      detach = undefined;
    },
    () => {
      detach ??= view.attach();
    },
    () => void room.messages.splice(0, pick(10)),
  ];
  publish(pick(40));
  await settle();
  for (let step = 0; step < steps; step++) {
    (actions[pick(actions.length)] as () => void)();
    // Sometimes everybody has time to answer, sometimes the next thing happens before.
    if (next() < 0.5) await settle();
    if (next() < 0.2) await pass(50 + pick(600));
    check(view.getSnapshot(), options.limit);
  }
  detach ??= view.attach();
  await pass(30_000);
  void view.getSnapshot().toLive();
  await pass(2000);
  publish(3);
  await pass(200);
  const end = view.getSnapshot();
  check(end, options.limit);
  expect(end).toMatchObject({ status: 'live', atLive: true, isFetching: false });
  expect(end.messages.at(-1)?.offset).toBe(room.top);
  detach();
  await pass(1000);
}

describe('a walk through history', () => {
  it.each(Array.from({ length: 30 }, (_, i) => i + 1))(
    'with seed %i shows no message twice and no hole that is not told',
    (seed) => walk(seed, 120),
  );

  it('ends well also when the stream begins anew in the middle of it', async () => {
    const client = makeClient();
    const options = { pageSize: 5, limit: 20 };
    const view = new HistoryView<unknown, unknown, unknown, NoEvents>(
      client,
      'room',
      options,
      undefined,
    );
    for (let i = 0; i < 30; i++) server.publish('room');
    const detach = view.attach();
    await settle();
    for (let life = 2; life < 6; life++) {
      void view.getSnapshot().fetchOlder();
      await settle();
      await cut();
      Object.assign(server.channel('room'), { epoch: `e${life}`, top: 0, messages: [] });
      for (let i = 0; i < 7; i++) server.publish('room');
      await pass(10_000);
      check(view.getSnapshot(), options.limit);
      expect(view.getSnapshot().messages.at(-1)).toMatchObject({ epoch: `e${life}`, offset: 7 });
    }
    detach();
  });
});
