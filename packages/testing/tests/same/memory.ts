import { createHmac, timingSafeEqual } from 'node:crypto';
import { expect } from 'vitest';
import {
  type ChannelRule,
  claimsOf,
  createMockServer,
  ManualClock,
  type MockServer,
  type TokenCheck,
} from '../../src/index';
import { channels, secret, type World } from './stage';

/** The rules that the binary has, in the words of this package; its defaults allow nothing. */
const rules: readonly ChannelRule[] = [...channels, { pattern: '*' }].map((rule) => {
  const given: Record<string, unknown> = rule;
  const access = (name: string) => (given[name] ?? 'capability') as 'capability';
  return {
    pattern: rule.pattern,
    historyMessages: Number(given.history_messages ?? 0),
    presence: given.presence === true,
    presenceGrace: Number.parseInt(String(given.presence_grace ?? '10'), 10) * 1000,
    membersMax: Number(given.members_max ?? 10_000),
    occupancy: given.occupancy === true,
    subscribe: access('subscribe'),
    publish: access('publish'),
    historyAccess: access('history_access'),
    presenceAccess: access('presence_access'),
  };
});

/** As the binary does it: HS256 and nothing else. */
const check: TokenCheck = (token) => {
  if (token === undefined) return {};
  const [head = '', payload = '', signature = ''] = token.split('.');
  const wanted = createHmac('sha256', secret).update(`${head}.${payload}`).digest();
  const given = Buffer.from(signature, 'base64url');
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return 'refused';
  return claimsOf(JSON.parse(Buffer.from(payload, 'base64url').toString()));
};

/** Any server in memory as a world, on the clock that it was made with. */
export function worldOf(server: MockServer, clock: ManualClock): World {
  return {
    url: server.url,
    options: { clock },
    transport: () => server.transport(),
    now: () => clock.now(),
    pass: (ms) => clock.advance(ms),
    async until(what, probe) {
      for (let ms = 0; ms <= 5000; ms += 10) {
        await server.settled();
        if (probe()) return;
        await clock.advance(10);
      }
      expect.fail(`not within 5 s: ${what}`);
    },
    async restart() {
      server.restart();
      await server.settled();
    },
    async close() {
      server.close();
    },
  };
}

/** A server in memory that behaves as the binary of these cases is configured. */
export async function memory(): Promise<World> {
  const clock = new ManualClock();
  return worldOf(createMockServer({ clock, channels: rules, token: check }), clock);
}
