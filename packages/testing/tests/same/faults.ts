import { expect, it } from 'vitest';
import type { Stage } from './stage';

const long = (bytes: number) => 'x'.repeat(bytes);

export function faults(s: Stage): void {
  const many = (count: number, value: unknown) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, value]));
  const channel = 'open:faults';
  const cases: [string, object, string][] = [
    ['fly', {}, 'unknown_type'],
    ['constructor', {}, 'unknown_type'],
    ['connect', {}, 'already_connected'],
    ['subscribe', {}, 'bad_message'],
    ['subscribe', { channel: '' }, 'bad_channel'],
    ['subscribe', { channel: 5 }, 'bad_message'],
    ['subscribe', { channel: null }, 'bad_message'],
    ['subscribe', { channel: 'open:\u0001' }, 'bad_channel'],
    ['subscribe', { channel: 'open:\u007f' }, 'bad_channel'],
    ['subscribe', { channel: `open:${long(251)}` }, 'bad_channel'],
    ['subscribe', { channel: `open:${'ä'.repeat(126)}` }, 'bad_channel'],
    ['subscribe', { channel, pattern: 'open:*' }, 'bad_message'],
    ['subscribe', { pattern: '' }, 'bad_channel'],
    ['subscribe', { channel, since: null }, 'bad_message'],
    ['subscribe', { channel, since: 5 }, 'bad_message'],
    ['subscribe', { channel, since: { epoch: 'x' } }, 'bad_message'],
    ['subscribe', { channel, since: { epoch: 'x', offset: -1 } }, 'bad_message'],
    ['subscribe', { channel, since: { epoch: 'x', offset: 2 ** 53 } }, 'bad_message'],
    ['subscribe', { channel, since: { epoch: 'x', offset: 1 }, rewind: 1 }, 'bad_message'],
    ['subscribe', { channel, rewind: -1 }, 'bad_message'],
    ['subscribe', { channel, rewind: '1' }, 'bad_message'],
    ['subscribe', { channel, presence: 1 }, 'bad_message'],
    ['subscribe', { channel, own: 'no' }, 'bad_message'],
    ['subscribe', { channel, filter: [] }, 'bad_message'],
    ['subscribe', { channel, filter: { a: 'x' } }, 'bad_message'],
    ['subscribe', { channel, filter: { a: [1] } }, 'bad_message'],
    ['subscribe', { channel, filter: many(17, ['x']) }, 'too_large'],
    ['subscribe', { channel, filter: { a: Array(33).fill('x') } }, 'too_large'],
    ['subscribe', { channel: 'own:1' }, 'forbidden'],
    ['subscribe', { channel: 'users:1' }, 'forbidden'],
    ['subscribe', { channel: '$user:ann' }, 'forbidden'],
    ['subscribe', { channel: '$other' }, 'forbidden'],
    ['subscribe', { pattern: 'own:*' }, 'forbidden'],
    ['subscribe', { pattern: '*' }, 'forbidden'],
    ['subscribe', { pattern: 'o*' }, 'forbidden'],
    ['subscribe', { pattern: '$user:*' }, 'forbidden'],
    ['unsubscribe', { channel }, 'not_subscribed'],
    ['unsubscribe', {}, 'bad_message'],
    ['publish', { channel }, 'bad_message'],
    ['publish', { channel, data: 1, text: 'x' }, 'bad_message'],
    ['publish', { channel, text: 5 }, 'bad_message'],
    ['publish', { channel, binary: 'no base64!' }, 'bad_message'],
    ['publish', { channel, binary: 'AAA' }, 'bad_message'],
    ['publish', { channel: 'own:1', data: 1 }, 'forbidden'],
    ['publish', { channel: '$user:ann', data: 1 }, 'forbidden'],
    ['publish', { channel, data: 1, event: long(256) }, 'too_large'],
    ['publish', { channel, data: 1, event: 5 }, 'bad_message'],
    ['publish', { channel, data: 1, messageId: long(129) }, 'too_large'],
    ['publish', { channel, data: 1, idempotencyKey: long(65) }, 'too_large'],
    ['publish', { channel, data: 1, conflationKey: long(129) }, 'too_large'],
    ['publish', { channel, data: 1, tags: many(17, 'x') }, 'too_large'],
    ['publish', { channel, data: 1, tags: { [long(65)]: 'x' } }, 'too_large'],
    ['publish', { channel, data: 1, tags: { a: long(257) } }, 'too_large'],
    ['publish', { channel, data: 1, tags: { a: 1 } }, 'bad_message'],
    ['publish', { channel, data: 1, tags: [] }, 'bad_message'],
    ['history', { channel: 'own:1' }, 'forbidden'],
    ['history', { channel, order: 'sideways' }, 'bad_message'],
    ['history', { channel, after: -1 }, 'bad_message'],
    ['history', { channel, before: 2 ** 53 }, 'bad_message'],
    ['history', { channel, epoch: 5 }, 'bad_message'],
    ['enter', { channel: 'own:1' }, 'forbidden'],
    ['enter', { channel, info: long(4095) }, 'too_large'],
    ['members', { channel, limit: 0 }, 'bad_message'],
    ['members', { channel, after: 5 }, 'bad_message'],
    ['leave', { channel }, 'not_present'],
    ['auth', {}, 'bad_message'],
    ['auth', { token: 'x.y.z' }, 'unauthorized'],
    ['rpc', { method: 'nobody' }, 'no_handler'],
    ['rpc', {}, 'bad_message'],
    ['rpc', { method: long(256) }, 'too_large'],
    ['ping', {}, 'pong'],
  ];

  it('answers every fault with its code, and lives on', async () => {
    const raw = await s.raw({});
    const answers: [string, object, unknown][] = [];
    for (const [type, members] of cases) {
      answers.push([type, members, await raw.code(type, members)]);
    }
    expect(answers).toEqual(cases);
    expect(raw.closed).toBeUndefined();
  });

  it('names the channel that an error is about, and says whether to try again', async () => {
    const raw = await s.raw({});
    const error = await raw.ask('publish', { channel: 'own:1', data: 1 });
    expect(error).toMatchObject({ type: 'error', channel: 'own:1', retry: false });
    expect(error.message).toEqual(expect.any(String));
    expect((await raw.ask('ping')).channel).toBeUndefined();
  });

  it.each([
    ['no type', '{"id":1001}', 1001],
    ['a type that is no text', '{"type":5,"id":1001}', 1001],
    ['no id', '{"type":"ping"}', undefined],
    ['an id of 0', '{"type":"ping","id":0}', undefined],
    ['an id that is text', '{"type":"ping","id":"1"}', undefined],
    ['an id beyond 2^53 - 1', '{"type":"ping","id":9007199254740992}', undefined],
    ['no object', '5', undefined],
    ['null', 'null', undefined],
    ['an array in an array', '[[]]', undefined],
  ])('refuses a message with %s', async (_, text, id) => {
    const raw = await s.raw({});
    raw.text(text);
    const error = id === undefined ? await raw.next() : await raw.reply(id);
    expect(error).toMatchObject({ type: 'error', code: 'bad_message', retry: false });
    expect(error.id).toBe(id);
  });

  it('takes commands only after connect, and waits for it all the same', async () => {
    const raw = await s.raw();
    expect(await raw.code('ping')).toBe('not_connected');
    expect(await raw.code('fly')).toBe('unknown_type');
    expect(await raw.code('subscribe', {})).toBe('bad_message');
    expect(await raw.code('connect', { token: 5 })).toBe('bad_message');
    expect(await raw.code('connect', { agent: long(129) })).toBe('too_large');
    expect(await raw.code('connect', { agent: 'test/1' })).toBe('connected');
  });

  it.each([
    ['what is no JSON', '{'],
    ['nothing', ''],
    ['half a surrogate pair', '{"type":"ping","id":1,"x":"\\ud800"}'],
    ['what is nested too deeply', `{"type":"ping","id":1,"x":${'['.repeat(70)}${']'.repeat(70)}}`],
    ['too many messages', `[${Array(129).fill('{"type":"ping","id":1}').join()}]`],
  ])('closes over %s', async (_, text) => {
    const raw = await s.raw({});
    raw.text(text);
    expect(await raw.end()).toBe(4400);
  });

  it('closes over a frame that is larger than it takes', async () => {
    const raw = await s.raw({});
    const frame = { type: 'publish', channel, text: long(1 << 20) };
    raw.send(frame);
    expect(await raw.end()).toBe(1009);
  });

  it('takes a frame of just the size that it says', async () => {
    const raw = await s.raw({});
    const empty = JSON.stringify({ type: 'publish', id: 1001, channel, text: '' });
    const text = long((1 << 20) - empty.length);
    raw.send({ type: 'publish', id: 1001, channel, text });
    expect(await raw.reply(1001)).toMatchObject({ type: 'published' });
    raw.send({ type: 'publish', id: 1002, channel, text: `${text}x` });
    expect(await raw.end()).toBe(1009);
  });

  it('handles what is right in a frame beside what is wrong, in order', async () => {
    const raw = await s.raw({});
    const name = s.fresh();
    raw.send(
      { type: 'publish', id: 1001, channel: name, data: 1 },
      { type: 'publish', id: 1002, channel: name },
      { type: 'fly', id: 1003 },
      { type: 'publish', id: 1004, channel: name, data: 2 },
      { type: 'subscribe', id: 1005, channel: name, rewind: 9 },
      { type: 'history', id: 1006, channel: name },
    );
    const codes: unknown[] = [];
    for (let id = 1001; id <= 1006; id++) {
      const reply = await raw.reply(id);
      codes.push(reply.code ?? reply.type);
    }
    expect(codes).toEqual([
      'published',
      'bad_message',
      'unknown_type',
      'published',
      'subscribed',
      'history',
    ]);
    expect(await raw.reply(1006)).toMatchObject({ top: 2 });
    expect([(await raw.next()).data, (await raw.next()).data]).toEqual([1, 2]);
  });

  it('ignores members that it does not know', async () => {
    const raw = await s.raw({ version: 99, nested: { deep: [1] } });
    const name = s.fresh();
    expect(await raw.code('subscribe', { channel: name, later: true })).toBe('subscribed');
    await raw.ask('publish', { channel: name, data: 1, colour: 'red', client: 'me', offset: 99 });
    const push = await raw.next();
    expect(push).toMatchObject({ offset: 1, data: 1 });
    expect(push.colour).toBeUndefined();
    expect(push.client).not.toBe('me');
  });

  it('takes names apart that only look alike', async () => {
    const base = s.fresh();
    const names = ['é', 'e\u0301', 'É', '😀', ' ', '%20', '/', '*', '?'].map((part) => base + part);
    const raw = await s.raw({});
    for (const [i, name] of names.entries()) {
      await raw.ask('publish', { channel: name, data: i });
    }
    for (const [i, name] of names.entries()) {
      const { top, messages } = await raw.ask('history', { channel: name });
      expect([top, (messages as { data: number }[])[0]?.data]).toEqual([1, i]);
    }
  });

  it('has room for so many channels and patterns', async () => {
    const raw = await s.raw({});
    const codes: unknown[] = [];
    for (let i = 0; i < 33; i++)
      codes.push(await raw.code('subscribe', { pattern: `open:p${i}*` }));
    expect(codes.indexOf('too_many_channels')).toBe(32);
    for (let i = 0; i < 97; i++) codes.push(await raw.code('subscribe', { channel: `open:c${i}` }));
    expect(codes.slice(33).indexOf('too_many_channels')).toBe(96);
    expect(await raw.code('enter', { channel: 'open:else' })).toBe('too_many_channels');
    expect(await raw.code('enter', { channel: 'open:c0' })).toBe('ok');
  });

  it('tells a client of what it may not do, without harming the rest', async () => {
    const client = await s.open();
    const log = await s.listen(client, s.fresh());
    expect(await s.refused(client.channel('own:1').publish(1))).toMatchObject({
      code: 'forbidden',
      retry: false,
      channel: 'own:1',
    });
    const errors: string[] = [];
    const own = client.channel('own:1');
    own.on('error', ({ code }) => errors.push(code));
    own.subscribe(() => {});
    await s.until('the error', () => errors.length > 0);
    expect(errors).toEqual(['forbidden']);
    await s.done(log.channel.publish(1));
    await s.has(log, 1);
    expect(client.state).toBe('open');
  });
}
