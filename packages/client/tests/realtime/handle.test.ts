import { describe, expect, it } from 'vitest';
import { AnywireError, handle } from '../../src/index';
import { opened, type Realtime } from '../support/realtime';

/** Calls as the server does; what the client answered, without the command's own id. */
async function call(r: Realtime, members: object): Promise<object[]> {
  const before = r.server.last.of('answer').length;
  r.server.last.say({ type: 'call', call: 1, method: 'sum', ...members });
  await r.settle();
  return r.server.last
    .of('answer')
    .slice(before)
    .map(({ id: _, type: __, ...rest }) => rest);
}

const sum = (data: unknown) => (data as number[]).reduce((a, b) => a + b, 0);

describe('handle', () => {
  it('answers with what the handler returns', async () => {
    const r = await opened();
    handle(r.client, 'sum', sum);
    expect(await call(r, { data: [1, 2] })).toEqual([{ call: 1, data: 3 }]);
    expect(r.errors).toEqual([]);
  });

  it('waits for a promise, and for several at a time', async () => {
    const r = await opened();
    const ends: ((value: unknown) => void)[] = [];
    handle(r.client, 'sum', () => new Promise((resolve) => ends.push(resolve)));
    expect(await call(r, { call: 1 })).toEqual([]);
    expect(await call(r, { call: 2 })).toEqual([]);
    ends[1]?.('b');
    ends[0]?.('a');
    await r.settle();
    expect(r.server.last.of('answer')).toMatchObject([
      { call: 2, data: 'b' },
      { call: 1, data: 'a' },
    ]);
  });

  it('says nothing where there is nothing to say', async () => {
    const r = await opened();
    handle(r.client, 'sum', () => undefined);
    expect(await call(r, {})).toEqual([{ call: 1 }]);
  });

  it('reads numbers that MessagePack cannot say', async () => {
    const r = await opened();
    handle(r.client, 'sum', (data) => typeof data);
    expect(await call(r, { text: '[1]', json: true })).toEqual([{ call: 1, data: 'object' }]);
  });

  it('tells what a handler throws, with its code', async () => {
    const r = await opened();
    handle(r.client, 'sum', () => {
      throw new AnywireError('busy', 'not now');
    });
    expect(await call(r, {})).toEqual([{ call: 1, error: { code: 'busy', message: 'not now' } }]);
    handle(r.client, 'sum', () => Promise.reject(new Error('x'.repeat(2000))));
    expect(await call(r, {})).toEqual([
      { call: 1, error: { code: 'failed', message: 'x'.repeat(340) } },
    ]);
    handle(r.client, 'sum', () => {
      throw 'words';
    });
    expect(await call(r, {})).toEqual([{ call: 1, error: { code: 'failed', message: 'words' } }]);
  });

  it('tells that a result cannot be encoded', async () => {
    const r = await opened();
    handle(r.client, 'sum', () => 1n);
    const [answer] = await call(r, {});
    expect(answer).toMatchObject({ call: 1, error: { message: expect.any(String) } });
  });

  it('refuses methods that nobody answers, any more', async () => {
    const r = await opened();
    const stop = handle(r.client, 'sum', sum);
    const none = [{ call: 1, error: { code: 'no_handler', message: expect.any(String) } }];
    expect(await call(r, { method: 'toString' })).toEqual(none);
    stop();
    expect(await call(r, { data: [1] })).toEqual(none);
  });

  it('lets the last handler of a method count, and stops only its own', async () => {
    const r = await opened();
    const stop = handle(r.client, 'sum', () => 'first');
    handle(r.client, 'sum', () => 'second');
    stop();
    expect(await call(r, {})).toEqual([{ call: 1, data: 'second' }]);
  });

  it('does not answer over another connection', async () => {
    const r = await opened();
    let end: (value: unknown) => void = () => {};
    handle(r.client, 'sum', () => new Promise((resolve) => (end = resolve)));
    await call(r, {});
    await r.cut();
    end('late');
    await r.settle();
    await r.pass(1000);
    expect(r.client.state).toBe('open');
    expect(r.server.last.of('answer')).toEqual([]);
    expect(await call(r, {})).toEqual([]);
    end('now');
    await r.settle();
    expect(r.server.last.of('answer')).toMatchObject([{ call: 1, data: 'now' }]);
  });

  it('leaves other pushes alone', async () => {
    const r = await opened();
    handle(r.client, 'sum', sum);
    const got: unknown[] = [];
    r.client.channel('room:1').subscribe((message) => got.push(message.data));
    await r.settle();
    void r.client.channel('room:1').publish('hi');
    await r.settle();
    expect(got).toEqual(['hi']);
  });
});
