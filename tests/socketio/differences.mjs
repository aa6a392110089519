// Where another target may or must differ from npm's server, each with its reason (sections are
// those of the team's fact sheet on the protocol).
//
// `for`: the targets; `cases`: names that it is about. One of
//   omit    these cases are not run
//   free    any log will do, as long as the case comes to its end
//   change  makes the expected log of the recorded one
// and `ease`, which is applied to both logs before they are compared.

const kBinary = ['ours', 'hooks'];

const mapped = (log, change) => Object.fromEntries(Object.entries(log)
  .map(([actor, entries]) => [actor, entries.map(change)]));

/** [method, status, …] without headers and body, the statuses of a refusal all alike. */
const refusals = (log) => mapped(log, (entry) =>
  (Array.isArray(entry) && entry[1] >= 400 ? [entry[0], 'refused'] : entry));

/** A candidate may be refused before the 101, or closed after it. */
const turnedAway = (log) => mapped(log, (entry) =>
  (entry[0] === 'refused' || entry[0] === 'close' ? ['turned away'] : entry));

const reasons = (log) => JSON.parse(JSON.stringify(log)
  .replaceAll('"reason":"forced close"', '"reason":"parse error"'));

const refusedWith = (message) => (log) =>
  ({ ...log, link: [['refused', 400, { 'content-type': 'text/html' }, message]] });

export const differences = [
  { for: kBinary, cases: /^http: a path without its slash$/, reason: '1: both forms of the path',
    change: () => ({ http: [['GET', 200]] }), ease: statusOnly },
  { for: kBinary, cases: /^http: a path (below|beside)$/, ease: statusOnly,
    reason: 'only the path itself is served; npm takes what is below it, too',
    change: () => ({ http: [['GET', 404]] }) },
  { for: kBinary, cases: /^upgrade: refused with(out)? EIO/, reason: '1: refused before the 101',
    change: refusedWith('Unsupported protocol version') },
  { for: kBinary, cases: /^upgrade: refused with transport=polling$/,
    reason: '1: refused before the 101', change: refusedWith('Bad request') },
  { for: kBinary, cases: /^upgrade: refused/, reason: '1: the text is what counts', ease: turnedAway },
  { for: kBinary, cases: /^session: (PUT|DELETE|PATCH|octet-stream)$/, ease: refusals,
    reason: '1: any refusal will do where npm has 500 or no text' },
  { for: kBinary, cases: /^handshake: with a port/, reason: '1: a refused upgrade has text',
    ease: turnedAway },
  { for: kBinary, cases: /^http: (a query with a bad escape|EIO twice|the transport twice)/,
    free: true, reason: 'a spoilt query may be refused' },
  { for: kBinary, cases: /^http: (OPTIONS|a preflight) /, ease: refusals,
    reason: '1: the status of a refusal' },
  { for: kBinary, cases: /^polling: (a second GET|the second of two)/, ease: refusals,
    reason: '1: 400 or 500 for the second' },
  { for: kBinary, cases: /^polling: bad: |^polling: a close of the server/, free: true,
    reason: '4: whether the close comes as a packet or as an unknown sid is chance' },
  { for: kBinary, cases: /^upgrade: (a second candidate|from a session over)/, ease: turnedAway,
    reason: '6: closed after the 101, or refused before it' },
  { for: kBinary, cases: /^upgrade: begun by an upgrade packet$/, free: true,
    reason: '6: npm takes an upgrade without its probe' },
  { for: kBinary, cases: /^borne packet: /, free: true,
    reason: '10: a violation; npm overlooks it, to close is right, too' },
  { for: kBinary, cases: /^(bad|first) packet: /, ease: reasons,
    reason: '10: a parse error on paper, npm says "forced close"' },
  { for: kBinary, cases: /^packet: an event behind the kick/, change: outlived,
    reason: '10: no other namespace suffers' },
  { for: kBinary, cases: /^connect: an event before the late answer/, free: true,
    reason: '10: an event behind a CONNECT that is being decided may wait for it' },
  { for: kBinary, cases: /^cors: (an upgrade|requests) of other/, free: true,
    reason: '8: one list of origins, for upgrades and polls' },
  { for: kBinary, cases: /^recovery: .*(volatile|offsets)/, free: true,
    reason: '11: an offset behind every event but those with an ack; see recovery.test.mjs' },
  { for: kBinary, cases: /^recovery: no event before the cut$/, free: true,
    reason: '11: a pid is enough; see recovery.test.mjs' },
  { for: kBinary, cases: /^recovery: (an offset without|a pid)/, free: true,
    reason: '11: what is no string is a violation' },
  { for: ['hooks', 'bridge'], omit: true,
    cases: /the server asks|^rooms: asked|everybody is moved|of a room$|^recovery: (the last event with an|offsets)/,
    reason: 'an answer cannot ask a client, nor do anything to other sockets' },
  { for: ['bridge'], omit: true, cases: /^recovery: /,
    reason: 'the bridge does not tell the application of a recovery' },
  { for: ['hooks', 'bridge'], cases: /: an (object|member) (like|named)|of wrong arguments/, free: true,
    reason: 'values pass through JSON' },
  { for: ['hooks', 'bridge'], omit: true, cases: /^echo over msgpack.*: (undefined|a date|a member of)/,
    reason: 'values pass through JSON' },
];

function statusOnly(log) {
  return mapped(log, (entry) => (Array.isArray(entry) ? entry.slice(0, 2) : entry));
}

// The kicked namespace's late packet is dropped, the main one answers.
function outlived(log) {
  const { watcher, link, ...rest } = log;
  return { ...rest, watcher: watcher.filter(([kind]) => kind !== 'event'),
    link: [...link.filter((entry) => entry[0] !== 'close'), '42["echo",2]'] };
}

/** What holds for a case: {omit, free, change(log), ease(log), reasons}. */
export function rulesFor(target, name) {
  const rules = differences.filter((one) => one.for.includes(target) && one.cases.test(name));
  const all = (key) => (log) => rules.reduce((made, rule) => rule[key]?.(made) ?? made, log);
  return {
    omit: rules.some(({ omit }) => omit),
    free: rules.some(({ free }) => free),
    change: all('change'),
    ease: all('ease'),
    reasons: rules.map(({ reason }) => reason),
  };
}
