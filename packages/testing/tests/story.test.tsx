// @vitest-environment jsdom

import { define } from '@anywire/client/contract';
import { useChannel, useConnectionState } from '@anywire/react';
import { act, cleanup, render, screen } from '@testing-library/react';
import { StrictMode } from 'react';
import * as v from 'valibot';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { MockServer } from '../src/index';
import { withAnywire } from '../src/react';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  cleanup();
  vi.runAllTimers();
  vi.useRealTimers();
});

const pass = (ms = 100) => act(() => vi.advanceTimersByTimeAsync(ms));

function Story() {
  const { messages } = useChannel<{ text: string }>('room');
  const user = useConnectionState((state) => state.user);
  return (
    <p>
      {user ?? 'nobody'}: {messages.map(({ data }) => data.text).join(' ')}
    </p>
  );
}
const text = () => screen.getByText(/:/).textContent;

describe('withAnywire', () => {
  it('shows a story what its script says, with time', async () => {
    const decorate = withAnywire({
      client: { token: 'ann' },
      script(server) {
        server.publish('room', { text: 'one' });
        setTimeout(() => server.publish('room', { text: 'two' }), 1000);
      },
    });
    render(decorate(Story));
    await pass();
    expect(text()).toBe('ann: one');
    await pass(1000);
    expect(text()).toBe('ann: one two');
  });

  it('needs no script', async () => {
    render(withAnywire()(Story));
    await pass();
    expect(text()).toBe('nobody: ');
  });

  it('runs the script once under StrictMode, and ends it with the story', async () => {
    const said: string[] = [];
    let server: MockServer | undefined;
    const decorate = withAnywire({
      script(given) {
        said.push('begin');
        server = given;
        server.publish('room', { text: 'once' });
        return () => said.push('end');
      },
    });
    const { unmount } = render(<StrictMode>{decorate(Story)}</StrictMode>);
    await pass();
    expect(text()).toBe('nobody: once');
    expect(server?.connections).toHaveLength(1);
    unmount();
    await pass();
    expect(said).toEqual(['begin', 'end']);
    expect(server?.connections).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('gives each story a server of its own', async () => {
    const decorate = withAnywire({ script: (server) => server.publish('room', { text: 'hi' }) });
    render(decorate(Story));
    render(decorate(Story));
    await pass();
    expect(screen.getAllByText('nobody: hi')).toHaveLength(2);
  });

  it('does not begin what was left before it began', async () => {
    const script = vi.fn();
    render(withAnywire({ script })(Story)).unmount();
    await pass();
    expect(script).not.toHaveBeenCalled();
  });

  it('types the script by a contract, and enforces it', async () => {
    const rt = define({ channels: { room: { message: v.object({ text: v.string() }) } } });
    const faults: unknown[] = [];
    const decorate = withAnywire({
      contract: rt,
      server: { channels: [{ pattern: 'room', historyMessages: 5 }] },
      script(server) {
        server.publish('room', { text: 'typed' });
        try {
          // @ts-expect-error: `text` is text
          server.publish('room', { text: 5 });
        } catch (error) {
          faults.push((error as { code: string }).code);
        }
      },
    });
    render(decorate(Story));
    await pass();
    expect(text()).toBe('nobody: typed');
    expect(faults).toEqual(['schema']);
  });
});
