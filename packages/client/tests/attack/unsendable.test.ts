import { describe, expect, it } from 'vitest';
import { AnywireError, history, pattern, presence, rpc } from '../../src/index';
import { msgpack } from '../../src/msgpack';
import { opened, realtime } from '../support/realtime';

/** Text that was cut within an emoji. The server ends the connection for it, and so the client. */
const cutEmoji = 'hello \ud83d\ude00'.slice(0, -1);
const nested = (levels: number): unknown => {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = i % 2 ? [value] : { a: value };
  return value;
};
const codecs = [
  ['JSON', {}],
  ['MessagePack', { codec: msgpack() }],
] as const;

describe.each(codecs)('what the server would end the connection for, in %s', (_, options) => {
  const open = async () => {
    const r = realtime(options);
    if ('codec' in options) r.server.codec = options.codec;
    r.client.connect();
    await r.settle();
    return r;
  };

  it.each([
    ['text', cutEmoji],
    ['a member', { text: cutEmoji }],
    ['a name of a member', { [cutEmoji]: 1 }],
    ['deep down', [[[{ a: ['\\', '"', cutEmoji] }]]]],
    ['the second half', '\ude00 hello'],
    ['levels beyond what is allowed', nested(70)],
    ['levels by the ten thousand', nested(10_000)],
  ])('is refused before it is sent: %s', async (_, data) => {
    const { client, server, settle } = await open();
    const before = server.conns.flatMap(({ got }) => got).length;
    const channel = client.channel('room');
    await expect(channel.publish(data)).rejects.toMatchObject({
      code: 'bad_data',
      retry: false,
      advice: expect.stringContaining('JSON'),
    });
    await expect(rpc(client, 'm', data)).rejects.toMatchObject({ code: 'bad_data' });
    await expect(presence(channel).enter(data)).rejects.toMatchObject({ code: 'bad_data' });
    await settle();
    expect(server.conns.flatMap(({ got }) => got)).toHaveLength(before);
    expect(client.state).toBe('open');
  });
});

describe('what only looks like it', () => {
  it.each([
    ['whole emoji', '\ud83d\ude00'],
    ['a backslash and the letters', '\\ud83d'],
    ['two backslashes and the letters', '\\\\ud83d'],
    ['brackets within text', '['.repeat(500) + '{"'.repeat(500)],
    ['many lists beside each other', Array.from({ length: 500 }, () => [{}])],
    ['61 levels', nested(61)],
  ])('is published as it is: %s', async (_, data) => {
    const { client, server, settle } = await opened();
    const published = client.channel('room').publish(data);
    await settle();
    await expect(published).resolves.toMatchObject({ offset: 1 });
    const [sent] = server.last.of('publish');
    expect(sent?.text ?? sent?.data).toEqual(data);
  });
});

describe('a channel whose name cannot be said', () => {
  it('is refused, and harms no other channel', async () => {
    const { client, server, settle, errors } = await opened();
    const got: unknown[] = [];
    client.channel('good').subscribe(({ data }) => got.push(data));
    const bad = client.channel(`room:${cutEmoji}`);
    const told: AnywireError[] = [];
    bad.on('error', (error) => told.push(error));
    const leave = bad.subscribe(() => {});
    await settle();
    expect(told).toMatchObject([{ code: 'bad_channel', advice: expect.any(String) }]);
    expect(errors).toEqual(told);
    server.publish('good', { data: 1 });
    expect(got).toEqual([1]);
    expect(client.state).toBe('open');
    leave();
    expect(server.last.of('unsubscribe')).toEqual([]);
  });

  it('does not keep the client from connecting, and is told with each connection only', async () => {
    const r = await opened();
    const told: string[] = [];
    const bad = r.client.channel(cutEmoji);
    bad.on('error', ({ code }) => told.push(code));
    bad.subscribe(() => {});
    r.client.channel('good').subscribe(() => {});
    await r.pass(60_000);
    expect(told).toEqual(['bad_channel']);
    await r.cut();
    await r.pass(2000);
    expect(r.client.state).toBe('open');
    expect(told).toEqual(['bad_channel', 'bad_channel']);
    expect(r.server.last.of('subscribe').map(({ channel }) => channel)).toEqual(['good']);
  });

  it('is an error of every command', async () => {
    const { client } = await opened();
    const bad = client.channel(cutEmoji);
    await expect(bad.publish(1)).rejects.toBeInstanceOf(AnywireError);
    await expect(history(bad)).rejects.toMatchObject({ code: 'bad_data' });
    await expect(presence(bad).enter()).rejects.toMatchObject({ code: 'bad_data' });
    await expect(presence(bad).leave()).resolves.toBeUndefined();
  });

  it('may be a pattern, too', async () => {
    const { client, settle, errors } = await opened();
    pattern(client, `${cutEmoji}*`).subscribe(() => {});
    await settle();
    expect(errors.map(({ code }) => code)).toEqual(['bad_channel']);
    expect(client.state).toBe('open');
  });
});
