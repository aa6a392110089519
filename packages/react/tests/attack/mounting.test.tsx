import { act, cleanup, render } from '@testing-library/react';
import { StrictMode } from 'react';
import { expect, it, vi } from 'vitest';
import type { Core } from '../../../client/src/realtime/client';
import { attendanceOf } from '../../src/attendance';
import {
  AnywireProvider,
  type PresenceState,
  useChannel,
  useChannelEvent,
  useConnectionState,
  useHistory,
  useLatest,
  useOptimisticPublish,
  usePresence,
  useRpc,
} from '../../src/index';
import { makeClient, pass, server, settle } from '../realtime';

/** Everything at once, which is what leaks where anything does. */
function All({ name }: { readonly name: string | null }) {
  useChannel(name, { rewind: 1 });
  useChannelEvent(name, 'typing', () => {});
  useLatest(name);
  useHistory(name);
  useOptimisticPublish(name);
  usePresence(name, { name: 'Ann' });
  usePresence(name);
  useRpc(name);
  useConnectionState();
  return null;
}

/** What a client holds for others. */
const held = (client: ReturnType<typeof makeClient>) => {
  const on = vi.spyOn(client, 'on');
  return { on, rooms: (client as unknown as Core).rooms };
};

it('ten thousand mounts leave no listener, timer or room behind', async () => {
  const client = makeClient();
  let listening = 0;
  const on = client.on.bind(client);
  vi.spyOn(client, 'on').mockImplementation((...args) => {
    const leave = on(...args);
    listening++;
    let here = true;
    return () => {
      if (here) listening--;
      here = false;
      leave();
    };
  });
  const page = (name: string | null) => (
    <StrictMode>
      <AnywireProvider client={client}>
        <All name={name} />
      </AnywireProvider>
    </StrictMode>
  );
  const { rerender, unmount } = render(page('room-0'));
  await settle();
  const steady = listening;
  // StrictMode mounts each effect twice, and each of nine hooks does so anew with another name.
  for (let i = 1; i <= 600; i++) {
    rerender(page(i % 3 === 2 ? null : `room-${i % 50}`));
    if (i % 100 === 0) await settle();
  }
  rerender(page('room-0'));
  await pass(2000);
  expect(listening).toBe(steady);
  const { rooms } = held(client);
  expect([...rooms.keys()]).toEqual(['channelroom-0']);
  unmount();
  await pass(2000);
  expect(listening).toBe(0);
  expect(rooms.size).toBe(0);
  expect(server.last.subscriptions.size).toBe(0);
  expect(server.conns).toHaveLength(1);
});

it('watching the presence of channels leaves nothing behind for each of them', async () => {
  const client = makeClient();
  const Watch = ({ name }: { readonly name: string }) => {
    usePresence(name);
    return null;
  };
  const page = (name: string) => (
    <AnywireProvider client={client}>
      <Watch name={name} />
    </AnywireProvider>
  );
  const { rerender, unmount } = render(page('a'));
  await settle();
  const presence = { enter: async () => {}, leave: async () => {} } as never;
  rerender(page('b'));
  await settle();
  unmount();
  await pass(1000);
  // What had been kept would be found again, and not be made with this presence.
  for (const name of ['a', 'b']) {
    const first = attendanceOf(client, name, presence);
    first.leave({});
    expect(attendanceOf(client, name, presence)).not.toBe(first);
  }
});

it('a thousand channels are live, come back after a break, and are let go of', async () => {
  const client = makeClient();
  const statuses = new Map<string, string>();
  const seen: string[] = [];
  const Room = ({ name }: { readonly name: string }) => {
    const { status } = useChannel<string>(name, {
      onMessage: ({ channel, data }) => seen.push(`${channel} ${data}`),
    });
    statuses.set(name, status);
    return null;
  };
  const names = Array.from({ length: 1000 }, (_, i) => `room-${i}`);
  const { unmount } = render(
    <AnywireProvider client={client}>
      {names.map((name) => (
        <Room key={name} name={name} />
      ))}
    </AnywireProvider>,
  );
  await settle();
  expect(new Set(statuses.values())).toEqual(new Set(['live']));
  await act(async () => server.last.close(1006));
  for (const name of names) server.publish(name, { data: 'missed' });
  await pass(1000);
  expect(new Set(statuses.values())).toEqual(new Set(['live']));
  expect(seen).toHaveLength(1000);
  expect(new Set(seen).size).toBe(1000);
  unmount();
  await pass(1000);
  expect(server.last.subscriptions.size).toBe(0);
  expect((client as unknown as Core).rooms.size).toBe(0);
});

it('ten thousand members are one list, and a change of one is one render', async () => {
  const members = Array.from({ length: 10_000 }, (_, i) => ({ client: `m${i}`, info: i }));
  server.presence('room', { join: members });
  let renders = 0;
  let last: PresenceState | undefined;
  const Hall = () => {
    renders++;
    last = usePresence('room');
    return null;
  };
  const { unmount } = render(
    <AnywireProvider client={makeClient()}>
      <Hall />
    </AnywireProvider>,
  );
  await settle();
  expect(last).toMatchObject({ count: 10_000, complete: true, status: 'live' });
  const before = renders;
  await act(async () => {
    for (let i = 0; i < 500; i++) {
      server.presence('room', { leave: [{ client: `m${i}`, reason: 'left' }] });
    }
  });
  await settle();
  await pass(100);
  expect(last?.members).toHaveLength(9500);
  expect(renders - before).toBeLessThan(5);
  unmount();
  cleanup();
});
