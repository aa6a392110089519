import { act, cleanup, render as renderOnce } from '@testing-library/react';
import { type ReactNode, StrictMode } from 'react';
import { afterEach, beforeEach, vi } from 'vitest';
import { type Client, type ClientOptions, createClient } from '../../client/src/index';
import { FakeNetwork } from '../../client/tests/support/fake-network';
import { FakeWebSocket } from '../../client/tests/support/fake-web-socket';
import { type Conn, NativeServer } from '../../client/tests/support/native-server';
import { AnywireProvider } from '../src/index';

/**
 * Vocabulary of the tests of the hooks: a server, a client and a page in one turn. Importing it
 * gives every test of the file fake time; nothing may be left over afterwards.
 */
export { FakeWebSocket };
export const url = 'wss://anywire.test/anywire';
export let server: NativeServer;
export let network: FakeNetwork;
let clients: Client[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  FakeWebSocket.reset();
  vi.stubGlobal('WebSocket', FakeWebSocket);
  server = new NativeServer();
  network = new FakeNetwork();
  clients = [];
});
afterEach(async () => {
  cleanup();
  await pass(1000);
  for (const client of clients) void client.close();
  // What the goodbyes may take.
  vi.advanceTimersByTime(10_000);
  const left = vi.getTimerCount();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  if (left > 0) throw new Error(`${left} timers are left`);
});

/** A client of the test's own, closed after it. */
export function makeClient(options: Partial<ClientOptions> = {}): Client {
  const client = createClient({ url, network, WebSocket: FakeWebSocket, ...options });
  clients.push(client);
  return client;
}

/** Lets everybody act until all is quiet, and a frame is drawn. */
export async function settle(): Promise<void> {
  await act(async () => {
    await server.settle();
    vi.advanceTimersByTime(20);
    await server.settle();
  });
}

/** Lets time pass in small steps, with everybody acting in between. */
export async function pass(ms: number): Promise<void> {
  await act(async () => {
    for (let left = ms; left > 0; left -= 50) {
      vi.advanceTimersByTime(Math.min(left, 50));
      await server.settle();
    }
  });
}

/** Somebody publishes `data`, one after another; a frame is drawn. */
export async function publish(channel: string, ...data: unknown[]): Promise<void> {
  await act(async () => {
    for (const one of data) server.publish(channel, { data: one });
  });
  await settle();
}

/** Cuts the newest connection. */
export async function cut(code = 1006, reason = ''): Promise<void> {
  await act(async () => server.last.close(code, reason));
  await settle();
}

export interface Probe<R> {
  readonly client: Client;
  /** What the hook returned last. */
  readonly result: R;
  /** Everything it returned, render by render. */
  readonly results: R[];
  renders(): number;
  /** With other code, and perhaps another client. */
  rerender(use: () => R, client?: Client): void;
  unmount(): void;
}

export interface ProbeOptions {
  readonly client?: Client;
  readonly strict?: boolean;
  /** What is between the provider and the hook. */
  readonly wrap?: (children: ReactNode) => ReactNode;
}

/** A component that calls a hook, under a provider. */
export function probe<R>(
  use: () => R,
  { client = makeClient(), strict = false, wrap = (children) => children }: ProbeOptions = {},
): Probe<R> {
  const results: R[] = [];
  const Hook = ({ use }: { use: () => R }) => {
    results.push(use());
    return null;
  };
  const page = (use: () => R, given: Client): ReactNode => {
    const tree = <AnywireProvider client={given}>{wrap(<Hook use={use} />)}</AnywireProvider>;
    return strict ? <StrictMode>{tree}</StrictMode> : tree;
  };
  const { rerender, unmount } = renderOnce(page(use, client));
  return {
    client,
    results,
    get result() {
      return results.at(-1) as R;
    },
    renders: () => results.length,
    rerender: (use, other = client) => rerender(page(use, other)),
    unmount,
  };
}

/** The commands of one type that the newest connection has read. */
export const asked = (type: string, conn: Conn = server.last): readonly object[] => conn.of(type);

/** Begins something that lasts, in one act; returns its promise, which may be looked at later. */
export function start<T>(work: () => Promise<T>): Promise<T> {
  let begun: Promise<T> | undefined;
  act(() => {
    begun = work();
  });
  begun?.catch(() => {});
  return begun as Promise<T>;
}
