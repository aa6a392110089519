// Whom the cases can be run against, by name: `reference` (npm's server), `bridge` (npm's server
// that asks hook-app.mjs), `ours` (the binary's embedded handler), `hooks` (the binary that asks
// hook-app.mjs). Each has `start(profile)`, which resolves with {url, stop()}.
import { startBridge } from './bridge.mjs';
import { startOurs, startOursWithHooks } from './ours.mjs';
import { startReference } from './reference.mjs';

export const targets = {
  reference: { start: startReference },
  bridge: { start: startBridge },
  ours: { start: startOurs },
  hooks: { start: startOursWithHooks },
};

/** The one that SOCKETIO_TARGET names, the binary by default. */
export const chosenTarget = () => {
  const name = process.env.SOCKETIO_TARGET ?? 'ours';
  if (!(name in targets)) throw new Error(`no target ${name}: ${Object.keys(targets)}`);
  return { name, ...targets[name] };
};
