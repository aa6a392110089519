import { vi } from 'vitest';
import { FakeFetch } from '../../../client/tests/support/fake-fetch';
import { NativeServer } from '../../../client/tests/support/native-server';

/** A server that speaks the protocol over the global `fetch`, in the test's own turn. */
export interface Stage {
  readonly server: NativeServer;
  readonly net: FakeFetch;
  /** What `fetch` was called with besides the address. */
  readonly inits: RequestInit[];
  /** Publishes, as somebody else. */
  say(channel: string, ...payloads: readonly object[]): void;
  /** What was written to the log. */
  readonly warnings: string[];
}

export function stage(): Stage {
  const server = new NativeServer();
  const net = new FakeFetch(server);
  const inits: RequestInit[] = [];
  const warnings: string[] = [];
  vi.stubGlobal('fetch', (input: string, init: RequestInit = {}) => {
    inits.push(init);
    return net.fetch(input, init);
  });
  vi.spyOn(console, 'warn').mockImplementation((line: string) => {
    warnings.push(line);
  });
  return {
    server,
    net,
    inits,
    warnings,
    say(name, ...payloads) {
      const channel = server.channel(name);
      for (const payload of payloads) {
        channel.top += 1;
        channel.messages.push({ offset: channel.top, time: 1000 + channel.top, ...payload });
      }
    },
  };
}
