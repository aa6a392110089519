// kill -9 at random moments, the same file all along: whatever was acknowledged or delivered is
// there, once, at its place, and everybody goes on without a hole.
// ANYWIRE_KILL_TRIALS sets the number of trials (200).
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import path from 'node:path';
import { after, it } from 'node:test';
import { temporaryFolder } from '../support/certificate.mjs';
import { pause, until } from '../support/poll.mjs';
import { launch, startServer } from '../support/server.mjs';
import { Publisher, Subscriber } from './actors.mjs';
import { Ledger } from './ledger.mjs';

const kTrials = Number(process.env.ANYWIRE_KILL_TRIALS ?? 200);
const kDeadlineMs = 20_000;
const channels = ['kill:a', 'kill:b', 'kill:c'];

const flags = {
  'history.path': path.join(temporaryFolder(), 'history.db'),
  'auth.anonymous': true,
  channels: JSON.stringify([{ pattern: 'kill:*', durable: true, history_messages: 1_000_000,
    history_bytes_max: '256MiB', history_ttl: '0s', subscribe: 'anyone', publish: 'anyone' }]),
};
const start = () => startServer({ flags, loops: 2, conformance: false });

const ledger = new Ledger();
const publishers = [
  ['json', 'kill:a'], ['msgpack', 'kill:a'], ['json', 'kill:b'], ['json', 'kill:c'],
].map(([format, channel], i) => new Publisher(ledger, format, `p${i}`, channel));
const subscribers = ['json', 'json', 'msgpack'].map(
  (format) => new Subscriber(ledger, format, channels));
const actors = [...publishers, ...subscribers];
let server;
after(() => {
  for (const actor of actors) actor.detach();
  server?.child.kill('SIGKILL');
});

function check() {
  for (const { fault } of actors) if (fault) throw fault;
}
const reached = (what, probe) => until(what, () => {
  check();
  return probe();
}, { deadlineMs: kDeadlineMs, everyMs: 2 });

/** A life of the server, and the moment it ends. */
async function trial(number) {
  server = await start();
  for (const publisher of publishers) publisher.width = randomInt(1, 17);
  // Some stay away for a life and have more to make up for; but not at first, since who has never
  // subscribed has nothing to go on with.
  for (const actor of actors) if (number < 2 || randomInt(4) > 0) actor.attach(server);
  if (randomInt(8) === 0 && number > 1) {
    await pause(randomInt(30));  // while everybody is still connecting
  } else {
    const before = ledger.acknowledgements;
    if (publishers.some((one) => one.attached)) {
      await reached('an acknowledgement', () => ledger.acknowledgements > before);
    }
    if (number < 2) {
      await reached('all subscriptions',
        () => subscribers.every(({ cursors }) => cursors.size === channels.length));
    }
    await pause(randomInt(120));
  }
  server.signal('SIGKILL');
  for (const actor of actors) actor.detach();
  await server.finished;
  check();
  assert.equal(server.exit.signal, 'SIGKILL', server.output);
}

it('starts though its first starts were killed', { timeout: 60_000 }, async () => {
  for (let i = 0; i < 10; i++) {
    const file = path.join(temporaryFolder(), 'history.db');
    for (let life = 0; life < 2; life++) {
      const early = launch(['serve', '--listen', '127.0.0.1:0', '--history.path', file]);
      await pause(randomInt(40));
      early.signal('SIGKILL');
      await early.finished;
    }
    const whole = await startServer({ flags: { ...flags, 'history.path': file } });
    assert.deepEqual(await whole.stop(), { code: 0, signal: null });
  }
});

const timeout = kTrials * 5000 + 60_000;
it(`loses and doubles nothing in ${kTrials} kills`, { timeout }, async () => {
  const begun = performance.now();
  for (let i = 0; i < kTrials; i++) await trial(i);
  const unanswered = publishers.reduce((sum, one) => sum + one.waiting, 0);

  // The last life: everybody gets what is missing, and somebody new gets it all.
  server = await start();
  const beginning = channels.map(
    (channel) => [channel, { epoch: subscribers[0].cursors.get(channel).epoch, offset: 0 }]);
  actors.push(new Subscriber(ledger, 'json', channels, beginning));
  subscribers.push(actors.at(-1));
  for (const publisher of publishers) publisher.width = 0;
  for (const actor of actors) actor.attach(server);
  await reached('all answers', () => publishers.every((one) => one.waiting === 0));
  await reached('all messages', () => subscribers.every((one) => one.upToDate));
  for (const actor of actors) actor.detach();
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
  ledger.finish();

  const sum = (list, member) => list.reduce((total, one) => total + one[member], 0);
  const retried = sum(publishers, 'retried');
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  console.log(`${kTrials} kills in ${seconds} s: ${ledger.acknowledgements} publishes ` +
    `acknowledged, ${retried} retried, ${ledger.duplicates} of them answered as duplicates; ` +
    `${sum(subscribers, 'recoveries')} recoveries, ${ledger.deliveries} deliveries, no loss, ` +
    'no repetition, no gap');
  assert.ok(ledger.acknowledgements > kTrials);
  assert.ok(unanswered > 0 || kTrials === 0);
  if (kTrials < 100) return;
  // Else the kills came at harmless moments only.
  assert.ok(retried > kTrials, 'many publishes were under way');
  assert.ok(ledger.duplicates > 0, 'some were on disk and not yet answered');
});
