import { describe, expect, it } from 'vitest';
import type { WireMessage } from '../../../client/src/index';
import { ChannelBook, type ChannelFacts } from '../../src/devtools/channels';

const room = { channel: 'room' };
/** What is known of a channel after these frames; `>` is one sent, `<` one that came. */
function after(...frames: ['>' | '<', Record<string, unknown>][]): Partial<ChannelFacts>[] {
  const book = new ChannelBook();
  for (const [way, frame] of frames) {
    if (way === '>') book.sent(frame as WireMessage);
    else book.came(frame as WireMessage);
  }
  return [...book.list];
}

const asked = { type: 'subscribe', id: 1, ...room };
const granted = { type: 'subscribed', id: 1, ...room, epoch: 'e', offset: 4 };

describe('a channel', () => {
  it('is asked for, live, and not there any more', () => {
    expect(after(['>', asked])).toMatchObject([{ name: 'room', pattern: false, status: 'asked' }]);
    expect(after(['>', asked], ['<', granted])).toMatchObject([
      { status: 'live', epoch: 'e', offset: 4, messages: 0, lost: 0 },
    ]);
    const left = { type: 'unsubscribe', id: 2, ...room };
    expect(after(['>', asked], ['<', granted], ['>', left])).toEqual([]);
  });

  it('moves on with messages, and with what is accounted for without one', () => {
    const message = { type: 'message', ...room, offset: 5 };
    const advance = { type: 'advance', ...room, offset: 9 };
    expect(after(['>', asked], ['<', granted], ['<', message], ['<', advance])).toMatchObject([
      { offset: 9, messages: 1 },
    ]);
  });

  it('is refused by the answer to its command', () => {
    const error = { type: 'error', id: 1, code: 'forbidden', message: 'no' };
    expect(after(['>', asked], ['<', error])).toMatchObject([
      { name: 'room', status: 'refused', code: 'forbidden' },
    ]);
  });

  it('is not refused by the answer to another command about it', () => {
    const publish = { type: 'publish', id: 2, ...room, data: 1 };
    const error = { type: 'error', id: 2, ...room, code: 'too_large', message: 'no' };
    expect(after(['>', asked], ['<', granted], ['>', publish], ['<', error])).toMatchObject([
      { status: 'live', code: undefined },
    ]);
  });

  it('is ended by the server', () => {
    const end = { type: 'unsubscribed', ...room, code: 'forbidden', message: 'no more' };
    expect(after(['>', asked], ['<', granted], ['<', end])).toMatchObject([
      { status: 'refused', code: 'forbidden' },
    ]);
  });

  it('is live again when it is granted after a refusal', () => {
    const end = { type: 'unsubscribed', ...room, code: 'forbidden', message: 'no more' };
    const anew = { ...asked, id: 3 };
    expect(
      after(['>', asked], ['<', end], ['>', anew], ['<', { ...granted, id: 3 }]),
    ).toMatchObject([{ status: 'live', code: undefined }]);
  });

  it('has as many members as presence says', () => {
    const presence = { type: 'presence', ...room, count: 3, all: true };
    expect(after(['>', asked], ['<', granted], ['<', presence])).toMatchObject([{ members: 3 }]);
  });

  it('that the token has made is known by its push', () => {
    expect(after(['<', { ...granted, id: undefined }])).toMatchObject([{ status: 'live' }]);
  });

  it('that was there before somebody looked is known by its messages', () => {
    expect(after(['<', { type: 'message', ...room, offset: 5 }])).toMatchObject([
      { name: 'room', status: 'live', offset: 5, messages: 1 },
    ]);
  });

  it('waits while there is no link', () => {
    const book = new ChannelBook();
    book.sent(asked as WireMessage);
    book.came(granted as WireMessage);
    book.sent({ type: 'subscribe', id: 2, channel: 'refused' });
    book.came({ type: 'error', id: 2, code: 'forbidden', message: 'no' });
    book.down();
    expect(book.list.map(({ status }) => status)).toEqual(['waiting', 'refused']);
    book.clear();
    expect(book.list).toEqual([]);
  });
});

describe('a pattern', () => {
  const pattern = { pattern: 'room:*' };
  const asked = { type: 'subscribe', id: 1, ...pattern };

  it('is no channel, whatever its name', () => {
    const both = after(['>', asked], ['>', { type: 'subscribe', id: 2, channel: 'room:*' }]);
    expect(both).toMatchObject([
      { name: 'room:*', pattern: true },
      { name: 'room:*', pattern: false },
    ]);
  });

  it('brings messages of channels that nobody has subscribed to', () => {
    const message = { type: 'message', channel: 'room:1', offset: 1 };
    const list = after(
      ['>', asked],
      ['<', { type: 'subscribed', id: 1, ...pattern }],
      ['<', message],
    );
    expect(list).toMatchObject([{ name: 'room:*', status: 'live' }]);
  });
});

describe('what is lost', () => {
  it.each([
    ['a range', { from: 3, to: 7 }, 5],
    ['a number, of a pattern', { missed: 17 }, 17],
    ['of another epoch, whose length nobody knows', { from: 9, to: 0 }, 0],
    ['nothing that can be read', { from: '3', to: null }, 0],
  ])('is counted: %s', (_, gap, lost) => {
    const book = new ChannelBook();
    expect(book.came({ type: 'gap', ...room, ...gap, epoch: 'e', offset: 7 })).toBe(lost);
    expect(book.list).toMatchObject([{ lost, offset: 7 }]);
  });

  it('may also be told by the answer to a subscription, and adds up', () => {
    const book = new ChannelBook();
    const gap = { from: 1, to: 10, reason: 'evicted' };
    expect(book.came({ ...granted, recovered: false, gap } as WireMessage)).toBe(10);
    expect(book.came({ type: 'gap', ...room, from: 11, to: 11 })).toBe(1);
    expect(book.list).toMatchObject([{ lost: 11 }]);
  });
});

describe('frames that make no sense', () => {
  it.each([
    { type: 'message' },
    { type: 'message', channel: 7, offset: 'x' },
    { type: 'subscribed', id: 99 },
    { type: 'subscribed', channel: null },
    { type: 'error', id: 'x' },
    { type: 'presence', channel: 'room', count: 'many' },
    { type: 'gap', channel: 'room', from: {}, to: [] },
    { type: 'unsubscribed', channel: 'never heard of' },
    { type: 'advance', channel: 'never heard of', offset: 3 },
    { type: 'something new', channel: 'room' },
  ])('do no harm: %j', (frame) => {
    const book = new ChannelBook();
    expect(() => book.came(frame as never)).not.toThrow();
    expect(() => book.sent(frame as never)).not.toThrow();
    expect(book.list.length).toBeLessThanOrEqual(1);
  });

  it('and names without end are not all kept', () => {
    const book = new ChannelBook();
    for (let i = 0; i < 1000; i++) book.sent({ type: 'subscribe', id: i, channel: `room:${i}` });
    expect(book.list).toHaveLength(256);
    expect(book.list.at(-1)?.name).toBe('room:999');
  });
});
