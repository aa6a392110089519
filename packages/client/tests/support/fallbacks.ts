import { poll, sse } from '../../src/fallbacks';
import { type ClientOptions, websocket } from '../../src/index';
import { FakeFetch } from './fake-fetch';
import { realtime } from './realtime';

/** A client with all transports, and a server that serves them, over WebSocket and over HTTP. */
export function harness(options: Partial<ClientOptions> = {}) {
  let fetch: FakeFetch | undefined;
  const r = realtime({
    transports: [websocket(), sse(), poll()],
    fetch: (...args) => (fetch as FakeFetch).fetch(...args),
    memory: false,
    ...options,
  });
  fetch = new FakeFetch(r.server);
  /** Streams hand bytes over in turns of their own, which only real turns of the loop see. */
  const settle = async () => {
    for (let i = 0; i < 12; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      await r.settle();
    }
  };
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 250) {
      r.clock.advance(Math.min(left, 250));
      await settle();
    }
  };
  const got: unknown[] = [];
  return { ...r, http: fetch, settle, pass, got };
}
/** The transports of a client that has but this one. */
export const only = (transport: 'sse' | 'poll') => ({
  transports: [transport === 'sse' ? sse() : poll()],
});
