// The judge of the kill trials finds each fault it is there for.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Ledger } from './ledger.mjs';

const kChannel = 'c';
const epoch = 'e';

/** Two publishers, two readers; what happened is as it should be. */
function sound() {
  const ledger = new Ledger();
  const start = { epoch, offset: 0, top: 0 };
  const readers = [0, 1].map(() => ledger.subscribed(kChannel, { before: 0 }, start));
  const keys = ['a-1', 'b-1', 'a-2', 'a-3', 'b-2'];
  keys.forEach((key, i) => {
    ledger.published(kChannel, key, { epoch, offset: i + 1 });
    for (const reader of readers) ledger.delivered(kChannel, reader, { offset: i + 1, key });
  });
  return { ledger, readers };
}

const resumed = (ledger, since) => ({ since, before: ledger.top(kChannel) });

describe('the judge of the kill trials', () => {
  it('finds nothing wrong with what is right', () => {
    const { ledger, readers } = sound();
    ledger.finish();
    // A crash after the commit and before the answer: the retry is answered as a duplicate.
    for (const reader of readers) ledger.delivered(kChannel, reader, { offset: 6, key: 'a-4' });
    const again = ledger.subscribed(kChannel, resumed(ledger, readers[0]),
      { epoch, offset: 6, top: 6, recovered: true });
    assert.deepEqual(again, { epoch, offset: 6 });
    ledger.published(kChannel, 'a-4', { epoch, offset: 6, duplicate: true });
    ledger.finish();
    assert.deepEqual([ledger.acknowledgements, ledger.duplicates, ledger.deliveries], [6, 1, 12]);
  });

  const faults = {
    'a message that was acknowledged and is lost': [/lost: there was 5, the top is 4/,
      ({ ledger, readers }) => ledger.subscribed(kChannel, resumed(ledger, readers[0]),
        { epoch, offset: 4, top: 4, recovered: true })],
    'a message that was delivered and is lost': [/lost: there was 6, the top is 5/,
      ({ ledger, readers }) => {
        ledger.delivered(kChannel, readers[0], { offset: 6, key: 'a-4' });
        ledger.subscribed(kChannel, resumed(ledger, readers[1]),
          { epoch, offset: 5, top: 5, recovered: true });
      }],
    'a lost message whose offset was given to another': [/offset 6 was a-4, is b-3/,
      ({ ledger, readers }) => {
        ledger.published(kChannel, 'a-4', { epoch, offset: 6 });
        ledger.delivered(kChannel, readers[0], { offset: 6, key: 'b-3' });
      }],
    'a message that is there twice': [/a-3 was at 4, is at 6/,
      ({ ledger, readers }) => ledger.delivered(kChannel, readers[0], { offset: 6, key: 'a-3' })],
    'a retry that was published again': [/a-4 was at 6, is at 7/,
      ({ ledger, readers }) => {
        ledger.delivered(kChannel, readers[0], { offset: 6, key: 'a-4' });
        ledger.published(kChannel, 'a-4', { epoch, offset: 7 });
      }],
    'two orders': [/offset 6 was a-4, is b-3/, ({ ledger, readers }) => {
      ledger.delivered(kChannel, readers[0], { offset: 6, key: 'a-4' });
      ledger.delivered(kChannel, readers[1], { offset: 6, key: 'b-3' });
    }],
    'a hole': [/a hole or a repetition: the cursor is 5, came 7/,
      ({ ledger, readers }) => ledger.delivered(kChannel, readers[0], { offset: 7, key: 'a-4' })],
    'a repetition': [/a hole or a repetition: the cursor is 5, came 5/,
      ({ ledger, readers }) => ledger.delivered(kChannel, readers[0], { offset: 5, key: 'b-2' })],
    'another epoch of a subscription': [/the epoch was e, is f/,
      ({ ledger, readers }) => ledger.subscribed(kChannel, resumed(ledger, readers[0]),
        { epoch: 'f', offset: 5, top: 5, recovered: true })],
    'another epoch of an acknowledgement': [/the epoch was e, is f/,
      ({ ledger }) => ledger.published(kChannel, 'a-4', { epoch: 'f', offset: 6 })],
    'a recovery that lost something': [/not recovered: {"from":3,"to":4}/,
      ({ ledger, readers }) => ledger.subscribed(kChannel, resumed(ledger, readers[0]),
        { epoch, offset: 5, top: 5, recovered: false, gap: { from: 3, to: 4 } })],
    'a cursor that jumped': [/the cursor was 5, is 3/,
      ({ ledger, readers }) => ledger.subscribed(kChannel, resumed(ledger, readers[0]),
        { epoch, offset: 3, top: 5, recovered: true })],
    'an answer that came twice': [/a-3 was acknowledged twice/,
      ({ ledger }) => ledger.published(kChannel, 'a-3', { epoch, offset: 4 })],
    'a gap push': [/unexpected: {"type":"gap"}/,
      ({ ledger }) => ledger.refused(kChannel, { type: 'gap' })],
    'a publisher whose order was changed': [/of a came 5 where 4 was due/, ({ ledger }) => {
      ledger.published(kChannel, 'a-5', { epoch, offset: 6 });
      ledger.published(kChannel, 'a-4', { epoch, offset: 7 });
      ledger.finish();
    }],
    'an offset that nobody got': [/nobody has seen offset 6/, ({ ledger }) => {
      ledger.published(kChannel, 'a-4', { epoch, offset: 7 });
      ledger.finish();
    }],
    'a message whose publisher got no answer': [/a-4 was never acknowledged/,
      ({ ledger, readers }) => {
        ledger.delivered(kChannel, readers[0], { offset: 6, key: 'a-4' });
        ledger.finish();
      }],
  };
  for (const [name, [pattern, plant]] of Object.entries(faults)) {
    it(`finds ${name}`, () => {
      assert.throws(() => plant(sound()), pattern);
    });
  }
});
