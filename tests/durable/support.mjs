// What the tests of durable channels share: a file of their own, rules, and a server on them.
import path from 'node:path';
import { temporaryFolder } from '../support/certificate.mjs';
import { startServer } from '../support/server.mjs';

export const newFile = () => path.join(temporaryFolder(), 'history.db');

const open = { subscribe: 'anyone', publish: 'anyone', history_access: 'anyone' };

/** Rules: `disk:*` is durable, `memory:*` is not; members go to the durable one. */
export const rules = (members = {}) => JSON.stringify([
  { pattern: 'disk:*', durable: true, history_messages: 10_000, history_bytes_max: '64MiB', ...open,
    ...members },
  { pattern: 'memory:*', history_messages: 100, ...open },
]);

export function startDurable(file, { flags = {}, rule = {}, ...options } = {}) {
  return startServer({ loops: 2, conformance: false, ...options,
    flags: { 'history.path': file, 'auth.anonymous': true, channels: rules(rule), ...flags } });
}

/** The offsets and data of a whole history. */
export async function historyOf(client, channel) {
  const messages = [];
  for (let after = 0, more = true; more;) {
    const page = await client.ask('history', { channel, after, limit: 1000 });
    if (page.type !== 'history') throw new Error(JSON.stringify(page));
    messages.push(...page.messages);
    more = page.more;
    after = messages.at(-1)?.offset ?? 0;
  }
  return messages;
}
