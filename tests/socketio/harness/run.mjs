// Runs cases against a target, some at a time, and gives each one's log.
//
// A target has `start(profile)`, which resolves with {url, stop()}. A case is {name, profile, run};
// `alone` gives it a server of its own. A case that fails has the log {failed: message}.
import { pool } from '../../support/poll.mjs';
import { Stage } from './stage.mjs';

/** `only(case)` chooses; the result maps names to logs. */
export async function runCases(target, cases, { lanes = 6, only = () => true } = {}) {
  const servers = new Map();
  const serverOf = (profile) => {
    if (!servers.has(profile)) servers.set(profile, target.start(profile));
    return servers.get(profile);
  };
  const logs = {};
  const chosen = cases.map((one, number) => ({ ...one, number })).filter(only);
  await pool(chosen.length, lanes, async (i) => {
    const { name, number, profile = 'plain', alone, run } = chosen[i];
    const server = await (alone ? target.start(profile) : serverOf(profile));
    logs[name] = await runCase(server, profile, number, run);
    if (alone) await server.stop();
  });
  for (const server of servers.values()) await (await server).stop();
  return logs;
}

async function runCase(server, profile, number, run) {
  const stage = new Stage(server, profile, number);
  let failed;
  try {
    await run(stage);
  } catch (error) {
    failed = error.stack;
  }
  const log = await stage.finish();
  return failed === undefined ? log : { ...log, failed: [failed] };
}
