import {
  type CloseInfo,
  type Data,
  type Drop,
  type Snapshot,
  Socket,
  type SocketOptions,
  type State,
} from '../../src/index';
import { FakeClock } from './fake-clock';
import { FakeNetwork } from './fake-network';
import { FakeWebSocket } from './fake-web-socket';

export const url = 'wss://anywire.test/raw/lobby';

export interface Harness {
  readonly clock: FakeClock;
  readonly network: FakeNetwork;
  readonly socket: Socket;
  readonly states: State[];
  readonly snapshots: Snapshot[];
  readonly messages: Data[];
  readonly drops: Drop[];
  readonly closes: CloseInfo[];
  readonly opens: number[];
  /** The newest WebSocket. */
  ws(): FakeWebSocket;
  /** How many WebSockets were made. */
  made(): number;
  /** Lets the next try begin. */
  retry(): void;
}

/** A socket whose whole surroundings are fakes, with everything that it says written down. */
export function harness(options: Partial<SocketOptions> = {}): Harness {
  FakeWebSocket.reset();
  const clock = new FakeClock();
  const network = new FakeNetwork();
  const socket = new Socket({ url, clock, network, WebSocket: FakeWebSocket, ...options });
  const log = {
    states: [] as State[],
    snapshots: [] as Snapshot[],
    messages: [] as Data[],
    drops: [] as Drop[],
    closes: [] as CloseInfo[],
    opens: [] as number[],
  };
  socket.on('state', (now, before) => {
    log.snapshots.push(now);
    if (now.state !== before.state) log.states.push(now.state);
  });
  socket.on('message', (data) => log.messages.push(data));
  socket.on('drop', (drop) => log.drops.push(drop));
  socket.on('close', (close) => log.closes.push(close));
  socket.on('open', ({ opens }) => log.opens.push(opens));
  return {
    clock,
    network,
    socket,
    ...log,
    ws: () => FakeWebSocket.last,
    made: () => FakeWebSocket.all.length,
    retry: () => clock.advance((socket.snapshot.retryAt ?? clock.time) - clock.time),
  };
}

/** As above, connected and accepted. */
export function opened(options: Partial<SocketOptions> = {}, protocol = ''): Harness {
  const h = harness(options);
  h.socket.connect();
  h.ws().accept(protocol);
  return h;
}
