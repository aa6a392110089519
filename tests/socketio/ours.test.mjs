// The binary, by its embedded handler and by hooks, against what npm's server does.
import { compare } from './harness/compare.mjs';
import { targets } from './targets.mjs';

const wanted = (process.env.SOCKETIO_TARGETS ?? 'ours,hooks').split(',');
for (const name of wanted) compare({ name, ...targets[name] });
