import { act } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';
import { define } from '../../client/src/contract';
import {
  useChannel,
  useChannelEvent,
  useHistory,
  useLatest,
  useOptimisticPublish,
  usePresence,
  useRpc,
} from '../src/index';
import {
  useChannel as useChannelSuspended,
  usePresence as usePresenceSuspended,
} from '../src/suspense';
import { pass, probe, publish, server, settle } from './realtime';
import { textSchema } from './schema';
import { page } from './suspense-page';

/**
 * A name that the contract does not have comes from an address bar or from an older page as often as
 * from a slip of the pen. It is asked for in a render, which must not fail because of it.
 */
const rt = define({
  channels: { 'room:{id}': { message: textSchema } },
  rpc: { sum: {} },
});
type Name = 'room:1';
const everything = (name: string) => ({
  channel: useChannel(rt.channel(name as Name)),
  history: useHistory(rt.channel(name as Name)),
  sent: useOptimisticPublish(rt.channel(name as Name)),
  present: usePresence(rt.channel(name as Name), { name: 'Ann' }),
});
const unknown = {
  code: 'unknown_channel',
  retry: false,
  message: '"rome:1" is not in the contract, which has room:{id}',
  advice: expect.stringContaining('contract'),
};

describe('a channel that the contract does not have', () => {
  it.each([true, false])('is a refusal in every hook (StrictMode: %s)', async (strict) => {
    const p = probe(() => everything('rome:1'), { strict });
    await settle();
    for (const { status, error } of Object.values(p.result)) {
      expect(status).toBe('refused');
      expect(error).toMatchObject(unknown);
    }
    await pass(60_000);
    for (const type of ['subscribe', 'enter', 'history']) {
      expect(server.conns.flatMap((conn) => conn.of(type))).toEqual([]);
    }
  });

  it('takes nothing to publish, and breaks nothing', async () => {
    const onError = vi.fn();
    const p = probe(() => useChannel(rt.channel('rome:1' as Name), { onError }));
    await settle();
    let refused: unknown;
    await act(async () => {
      await p.result.publish({ text: 'hi' }).catch((error) => {
        refused = error;
      });
    });
    expect(refused).toMatchObject(unknown);
    expect(onError).toHaveBeenCalledWith(expect.objectContaining({ code: 'unknown_channel' }));
    expect(p.result.messages).toEqual([]);
  });

  it('shows no message that is not sent', async () => {
    const p = probe(() => useOptimisticPublish(rt.channel('rome:1' as Name)));
    await settle();
    await act(async () => void p.result.publish({ text: 'hi' }).catch(() => {}));
    await settle();
    expect(p.result.messages).toEqual([]);
    expect(p.result.error).toMatchObject(unknown);
  });

  it('gives way to one that it has, and comes back', async () => {
    let name = 'rome:1';
    const use = () => everything(name);
    const p = probe(use);
    await settle();
    name = 'room:1';
    p.rerender(use);
    await settle();
    await publish('room:1', { text: 'hi' });
    for (const { status, error } of Object.values(p.result)) {
      expect(status).toBe('live');
      expect(error).toBeUndefined();
    }
    expect(p.result.channel.messages.map(({ data }) => data)).toEqual([{ text: 'hi' }]);
    name = 'rome:1';
    p.rerender(use);
    await settle();
    for (const { status } of Object.values(p.result)) expect(status).toBe('refused');
  });

  it('leaves other hooks of the page alone, and those without a list', async () => {
    const heard = vi.fn();
    const p = probe(() => {
      useChannelEvent(rt.channel('rome:1' as Name), heard);
      return {
        latest: useLatest(rt.channel('rome:1' as Name)),
        good: useChannel(rt.channel('room:1')),
      };
    });
    await settle();
    await publish('room:1', { text: 'hi' });
    expect(p.result.good.messages).toHaveLength(1);
    expect(p.result.latest).toBeUndefined();
    expect(heard).not.toHaveBeenCalled();
  });

  it('is for the error boundary where hooks suspend', async () => {
    const Lines = () => <p>{useChannelSuspended(rt.channel('rome:1' as Name)).status}</p>;
    const Members = () => <p>{usePresenceSuspended(rt.channel('rome:1' as Name)).count}</p>;
    for (const part of [<Lines key="lines" />, <Members key="members" />]) {
      const p = page(part);
      await settle();
      expect(p.text()).toBe('unknown_channel');
      p.unmount();
    }
  });
});

describe('a part that is missing', () => {
  it.each([undefined, null, ''])('is an error of the hook, not of the page: %j', async (id) => {
    const p = probe(() => useChannel(rt.channel('room:{id}', { id: id as string })));
    await settle();
    expect(p.result).toMatchObject({ status: 'refused', error: { code: 'bad_channel' } });
    p.rerender(() => useChannel(rt.channel('room:{id}', { id: '1' })));
    await settle();
    expect(p.result).toMatchObject({ status: 'live', error: undefined });
  });
});

describe('a method that the contract does not have', () => {
  it('is an error of the call', async () => {
    const p = probe(() => useRpc(rt.rpc('sums' as 'sum')));
    await settle();
    await act(async () => void p.result.call(1));
    await settle();
    expect(p.result.error).toMatchObject({
      code: 'unknown_rpc',
      message: '"sums" is not in the contract, which has sum',
    });
    expect(p.result.isPending).toBe(false);
  });
});
