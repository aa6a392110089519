import { act, fireEvent, render } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';
import { dice } from '../../../client/tests/support/chance';
import { AnywireDevtools } from '../../src/devtools';
import { makeClient, pass, server, settle } from '../realtime';
import { all, choose, find, hosts, rows } from './page';

const values: readonly unknown[] = [
  null,
  true,
  -1,
  1e300,
  '',
  'text',
  '__proto__',
  '<b>',
  [],
  {},
  [[[]]],
  { from: 1, to: 2 },
  'x'.repeat(3000),
];
const types = ['message', 'subscribed', 'unsubscribed', 'gap', 'error', 'presence', 'advance'];
const members = ['channel', 'pattern', 'id', 'offset', 'epoch', 'code', 'message', 'count', 'gap'];

/** What no server says, but what a frame may hold. */
function oddFrame(roll: (below: number) => number): Record<string, unknown> {
  const frame: Record<string, unknown> = { type: types[roll(types.length)] };
  for (let i = roll(6); i > 0; i--) {
    const member = members[roll(members.length)] ?? 'data';
    frame[member] = values[roll(values.length)];
  }
  // The client's own subscription is not to be disturbed.
  if (frame.channel === undefined) frame.channel = `room:${roll(5)}`;
  return frame;
}

const pick = <T,>(roll: (below: number) => number, list: readonly T[]): T | undefined =>
  list[roll(Math.max(1, list.length))];

async function walk(seed: number): Promise<void> {
  const roll = dice(seed);
  const client = makeClient();
  const { unmount } = render(<AnywireDevtools client={client} />);
  void client.connect();
  await settle();
  await settle();
  const steps: (() => unknown)[] = [
    () => act(async () => server.last.say(oddFrame(roll), oddFrame(roll))),
    () => act(async () => server.last.say(...Array.from({ length: 80 }, () => oddFrame(roll)))),
    () => {
      const button = pick(roll, all<HTMLButtonElement>('button:not(:disabled)'));
      if (button) act(() => void fireEvent.click(button));
    },
    () => {
      const row = pick(roll, all('.row'));
      if (row) act(() => void fireEvent.click(row));
    },
    () => {
      const target = find('[role=listbox]');
      const name = pick(roll, ['ArrowUp', 'ArrowDown', 'Home', 'End', 'Escape', 'x']);
      if (target && name) act(() => void fireEvent.keyDown(target, { key: name }));
    },
    async () => {
      if (find('[aria-label=Type]')) await choose('Type', pick(roll, ['', 'error', 'gap']) ?? '');
    },
    async () => {
      const text = pick(roll, ['', 'x', 'redacted', '"', '\\']) ?? '';
      if (find('[aria-label="Search in frames"]')) await choose('Search in frames', text);
    },
    () => pass(100),
  ];
  for (let i = 0; i < 40; i++) {
    await steps[roll(steps.length)]?.();
    expect(hosts()).toHaveLength(1);
    expect(all('.row').length).toBeLessThanOrEqual(30);
    expect(new Set(all('.row').map(({ id }) => id)).size).toBe(rows().length);
    expect(all('.row[aria-selected=true]').length).toBeLessThanOrEqual(1);
  }
  unmount();
  await pass(2000);
  void client.close();
  await pass(1000);
}

describe('whatever comes, and whatever a developer does', () => {
  it.each(Array.from({ length: 5 }, (_, i) => i + 1))('nothing throws (seed %d)', async (seed) => {
    const complaints: unknown[] = [];
    // With a layout, so that only rows in view are made.
    vi.spyOn(Element.prototype, 'clientHeight', 'get').mockReturnValue(220);
    const complain = (event: ErrorEvent | PromiseRejectionEvent) => complaints.push(event);
    window.addEventListener('error', complain);
    window.addEventListener('unhandledrejection', complain);
    vi.spyOn(console, 'error').mockImplementation((...args) => complaints.push(args));
    await walk(seed);
    window.removeEventListener('error', complain);
    window.removeEventListener('unhandledrejection', complain);
    expect(complaints).toEqual([]);
  });
});
