import { describe, expect, it } from 'vitest';
import { ManualClock, quiet } from '../src/clock';
import { readCommand } from '../src/commands';
import { includes, isName, matches, parsePattern } from '../src/glob';
import { PresenceSet } from '../src/presence';
import { errorMembers } from '../src/refusal';
import { Rules } from '../src/rules';
import { Stream } from '../src/stream';

describe('patterns', () => {
  it.each([
    ['*', '', true],
    ['*', 'anything:at/all', true],
    ['a*', 'a', true],
    ['a*', 'ba', false],
    ['a?', 'a', false],
    ['a?', 'ab', true],
    ['a?', 'a😀', true],
    ['a?', 'abc', false],
    ['*a*b', 'xaxbxb', true],
    ['*a*b', 'xaxbx', false],
    ['room:*:x', 'room:1:2:x', true],
    ['a.b', 'aXb', false],
    ['[a]', 'a', false],
  ])('%s and %s: %s', (pattern, name, expected) => {
    expect(matches(pattern, name)).toBe(expected);
  });

  it('takes no more than linear time in practice over many stars', () => {
    const started = performance.now();
    expect(matches('*a*a*a*a*a*a*a*a*b', 'a'.repeat(20_000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it.each([
    ['*', 'a*', true],
    ['*', '*', true],
    ['a*', 'a?', true],
    ['a*', 'ab*', true],
    ['a*', '*', false],
    ['a?', 'ab', true],
    ['a?', 'a?', true],
    ['a?', 'a*', false],
    ['a', 'a', true],
    ['a', 'b', false],
  ])('%s includes %s: %s', (wide, narrow, expected) => {
    expect(includes(wide, narrow)).toBe(expected);
  });

  it.each([
    ['a**', 'a*'],
    ['a*?', 'a?*'],
    ['*?*?b', '??*b'],
    ['??', '??'],
    ['plain', 'plain'],
    ['', undefined],
    ['x'.repeat(256), undefined],
    ['a\nb', undefined],
  ])('has %j in its shortest form %j', (text, expected) => {
    expect(parsePattern(text)).toBe(expected);
  });

  it('counts the bytes of names', () => {
    expect([isName(''), isName('ä'.repeat(127)), isName('ä'.repeat(128))]).toEqual([
      false,
      true,
      false,
    ]);
    expect(['\u0000', '\u001f', '\u007f'].map((char) => isName(char))).toEqual([
      false,
      false,
      false,
    ]);
  });
});

describe('commands', () => {
  it('tells what a command names, even where it is wrong', () => {
    const { id, channel, refusal } = readCommand({ type: 'publish', id: 3, channel: 'a' });
    expect([id, channel, refusal?.code]).toEqual([3, 'a', 'bad_message']);
    expect(readCommand({ type: 'leave', id: 4, channel: '' })).toMatchObject({
      channel: '',
      refusal: { code: 'bad_channel' },
    });
  });

  it('ignores members that it does not know, and those of prototypes', () => {
    const message = Object.assign(Object.create({ channel: 'inherited' }), {
      type: 'leave',
      id: 1,
      more: true,
    });
    expect(readCommand(message).refusal?.code).toBe('bad_message');
    expect(readCommand({ type: 'leave', id: 1, channel: 'a', more: true }).refusal).toBeUndefined();
    for (const type of ['toString', '__proto__', 'hasOwnProperty']) {
      expect(readCommand({ type, id: 1 }).refusal?.code).toBe('unknown_type');
    }
  });

  it('takes the first fault', () => {
    const both = { type: 'subscribe', id: 0, channel: '' };
    expect(readCommand(both).refusal?.message).toContain('"id"');
  });

  it('reads any value without throwing', () => {
    const values = [null, 5, 'x', [], {}, true, -1, 1.5, { a: [] }, ['x']];
    const names = ['type', 'id', 'channel', 'since', 'filter', 'tags', 'data', 'limit', 'info'];
    const types = ['subscribe', 'publish', 'history', 'enter', 'members', 'connect', 'rpc'];
    for (const type of types) {
      for (const name of names) {
        for (const value of values) {
          const read = readCommand({ type, id: 1, channel: 'a', method: 'm', [name]: value });
          expect(read.command === undefined).toBe(read.refusal !== undefined);
        }
      }
    }
  });
});

describe('errors', () => {
  it('say whether to try again as the protocol does, unless they say it themselves', () => {
    const of = (code: string, retry?: boolean) =>
      errorMembers({ code, message: 'm', ...(retry !== undefined && { retry }) }).retry;
    expect(['overloaded', 'unavailable', 'rate_limited'].map((code) => of(code))).toEqual([
      true,
      true,
      true,
    ]);
    expect([of('forbidden'), of('forbidden', true), of('overloaded', false)]).toEqual([
      false,
      true,
      false,
    ]);
  });
});

describe('presence of many', () => {
  const make = (membersListedMax: number) => {
    const pushes: Record<string, unknown>[] = [];
    const rule = new Rules([{ pattern: '*', membersListedMax, presenceGrace: 0 }]).of('a');
    const set = new PresenceSet(rule, new ManualClock(), 'e', (push) => pushes.push(push));
    return { set, pushes, last: () => pushes.at(-1) };
  };

  it('is told by numbers alone above the limit, until a quarter less is left', () => {
    const { set, last } = make(4);
    for (let i = 1; i <= 4; i++) set.enter({ client: `c${i}` });
    expect(last()).toMatchObject({ join: [{ client: 'c4' }], count: 4 });
    set.enter({ client: 'c5' });
    expect(last()).toEqual({ epoch: 'e', from: 4, version: 5, count: 5, users: 0, partial: true });
    expect(set.everything()).toMatchObject({ partial: true, count: 5 });
    set.leave('c5');
    expect(last()).toMatchObject({ partial: true, count: 4 });
    set.leave('c4');
    expect(last()).toMatchObject({ all: true, count: 3, version: 7 });
    expect(last()?.join).toEqual([{ client: 'c1' }, { client: 'c2' }, { client: 'c3' }]);
    set.leave('c3');
    expect(last()).toMatchObject({ leave: [{ client: 'c3', reason: 'left' }], from: 7 });
  });

  it('numbers its changes without a hole', () => {
    const { set, pushes } = make(2);
    for (const client of ['a', 'b', 'c', 'a', 'd']) set.enter({ client });
    for (const client of ['a', 'x', 'b', 'c']) set.leave(client);
    expect(pushes.map(({ from }) => from)).toEqual(pushes.map((_, i) => i));
    expect(pushes.map(({ version }) => version)).toEqual(pushes.map((_, i) => i + 1));
  });

  it('tells nobody of who enters as it was', () => {
    const { set, pushes } = make(10);
    for (let i = 0; i < 3; i++) set.enter({ client: 'a', user: 'u', info: { n: [1, { x: 2 }] } });
    expect(pushes).toHaveLength(1);
    set.enter({ client: 'a', user: 'u', info: { n: [1, { x: 3 }] } });
    set.enter({ client: 'a', user: 'u' });
    expect(pushes.slice(1).map(({ update }) => update)).toEqual([
      [{ client: 'a', user: 'u', info: { n: [1, { x: 3 }] } }],
      [{ client: 'a', user: 'u' }],
    ]);
  });

  it('lists members in the order of their ids, whatever has happened to them', () => {
    const rule = new Rules([]).of('a');
    const set = new PresenceSet(rule, new ManualClock(), 'e', () => {});
    for (const client of ['c', 'a', 'b']) set.enter({ client });
    set.lose('a');
    expect(set.members.map(({ client }) => client)).toEqual(['a', 'b', 'c']);
    expect(set.page('a', 1)).toMatchObject({ members: [{ client: 'b' }], more: true });
    expect(set.page('b', 1)).toMatchObject({ members: [{ client: 'c' }], more: false });
  });

  it('takes the place of the one of its user that was lost last', () => {
    const pushes: Record<string, unknown>[] = [];
    const rule = new Rules([{ pattern: '*', membersMax: 2 }]).of('a');
    const clock = new ManualClock();
    const set = new PresenceSet(rule, clock, 'e', (push) => pushes.push(push));
    set.enter({ client: 'a1', user: 'ann' });
    set.enter({ client: 'a2', user: 'ann' });
    set.lose('a2');
    set.lose('a1');
    expect(set.enter({ client: 'b1', user: 'bob' })?.code).toBe('too_many_members');
    expect(set.enter({ client: 'a3', user: 'ann' })).toBeUndefined();
    expect(pushes.at(-1)).toMatchObject({
      leave: [{ client: 'a1', user: 'ann', reason: 'replaced' }],
      join: [{ client: 'a3', user: 'ann' }],
    });
    expect(set.members.map(({ client }) => client)).toEqual(['a2', 'a3']);
    set.dispose();
    expect(clock.pending).toBe(0);
  });
});

describe('a stream', () => {
  const make = (historyMessages: number) => {
    const rule = new Rules([{ pattern: '*', historyMessages }]).of('a');
    return new Stream(rule, new ManualClock(), 'e');
  };

  it('says for every cursor what is lost, and never more or less', () => {
    for (const kept of [0, 1, 3, 10]) {
      const stream = make(kept);
      for (let i = 1; i <= 6; i++) stream.publish({ data: i });
      for (let offset = 0; offset <= 8; offset++) {
        const { offset: begin, gap } = stream.recover({ epoch: 'e', offset });
        const after = stream.behind(begin).map((message) => message.offset);
        if (offset > 6) {
          expect([begin, gap?.reason, after]).toEqual([6, 'epoch', []]);
          continue;
        }
        const lost = gap ? gap.to - gap.from + 1 : 0;
        expect(offset + lost + after.length).toBe(6);
        expect(after).toEqual(after.map((_, i) => begin + i + 1));
        if (gap) expect([gap.from, gap.to]).toEqual([offset + 1, begin]);
      }
    }
  });

  it('has nothing to rewind to without history', () => {
    const stream = make(0);
    stream.publish({ data: 1 });
    expect(stream.rewind(5)).toEqual({ offset: 1 });
    expect(stream.oldest).toBe(2);
  });
});

describe('ManualClock', () => {
  it('runs what is due in its order, with promises in between', async () => {
    const clock = new ManualClock(1000);
    const log: unknown[] = [];
    clock.setTimeout(() => log.push(['late', clock.now()]), 20);
    clock.setTimeout(() => {
      log.push(['early', clock.now()]);
      void Promise.resolve().then(() => log.push('promise'));
      clock.setTimeout(() => log.push(['nested', clock.now()]), 5);
    }, 10);
    const never = clock.setTimeout(() => log.push('never'), 1);
    clock.clearTimeout(never);
    await clock.advance(20);
    expect(log).toEqual([['early', 1010], 'promise', ['nested', 1015], ['late', 1020]]);
    expect([clock.now(), clock.pending, clock.random()]).toEqual([1020, 0, 0.5]);
  });

  it('is quiet only when nothing has happened for long', async () => {
    let signs = 0;
    void (async () => {
      for (let i = 0; i < 20; i++) {
        for (let n = 0; n < 30; n++) await Promise.resolve();
        signs++;
      }
    })();
    await quiet(() => signs);
    expect(signs).toBe(20);
  });
});
