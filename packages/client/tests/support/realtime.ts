import {
  type AnywireError,
  type Client,
  type ClientOptions,
  createClient,
  type State,
} from '../../src/index';
import { FakeClock } from './fake-clock';
import { FakeNetwork } from './fake-network';
import { FakeWebSocket } from './fake-web-socket';
import { NativeServer } from './native-server';

export interface Realtime {
  readonly clock: FakeClock;
  readonly network: FakeNetwork;
  readonly server: NativeServer;
  readonly client: Client;
  readonly states: State[];
  readonly errors: AnywireError[];
  /** Lets time pass in small steps, with everybody acting in between. */
  pass(ms: number): Promise<void>;
  settle(): Promise<void>;
  /** Cuts the newest connection. */
  cut(code?: number, reason?: string): Promise<void>;
}

/** A client and a server in one test, with everything that the client says written down. */
export function realtime(options: Partial<ClientOptions> = {}): Realtime {
  FakeWebSocket.reset();
  const clock = new FakeClock();
  const network = new FakeNetwork();
  const server = new NativeServer();
  const client = createClient({
    url: 'wss://anywire.test/anywire',
    clock,
    network,
    WebSocket: FakeWebSocket,
    ...options,
  });
  const states: State[] = [];
  const errors: AnywireError[] = [];
  client.on('state', (now, before) => {
    if (now.state !== before.state) states.push(now.state);
  });
  client.on('error', (error) => errors.push(error));
  const settle = () => server.settle();
  return {
    clock,
    network,
    server,
    client,
    states,
    errors,
    settle,
    async pass(ms) {
      for (let left = ms; left > 0; left -= 250) {
        clock.advance(Math.min(left, 250));
        await settle();
      }
    },
    async cut(code = 1006, reason = '') {
      server.last.close(code, reason);
      await settle();
    },
  };
}

/** As above, with an open connection. */
export async function opened(options: Partial<ClientOptions> = {}): Promise<Realtime> {
  const r = realtime(options);
  r.client.connect();
  await r.settle();
  return r;
}
