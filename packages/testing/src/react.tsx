'use client';

import { type Client, frameScheduler } from '@anywire/client';
import { AnywireProvider } from '@anywire/react';
import { act, type RenderOptions, type RenderResult, render } from '@testing-library/react';
import type { ComponentType, ReactElement, ReactNode } from 'react';
import type { MockServer } from './mock-server';
import { forget, made } from './registry';
import type { ChannelDefs, RpcDefs } from './types';

export { type AnywireStory, type StoryScript, withAnywire } from './story';

/** What `renderWithAnywire` takes, besides the options of the testing library. */
export interface RenderWithAnywireOptions<
  C extends ChannelDefs = Record<never, never>,
  R extends RpcDefs = Record<never, never>,
> extends Omit<RenderOptions, 'queries' | 'reactStrictMode'> {
  /** The server that the components talk to. */
  readonly server: MockServer<C, R>;
  /** Default: a new one of `server`. */
  readonly client?: Client;
  /** Under `StrictMode`, as `next dev` does it. Default true. */
  readonly strict?: boolean;
}

/** What `renderWithAnywire` resolves to, besides the queries of the testing library. */
export interface RenderedWithAnywire extends RenderResult {
  /** The client of the provider, for looking at its `snapshot` for example. */
  readonly client: Client;
  /**
   * Lets everything that was said arrive, and React draw what came of it: one frame passes, with
   * fake timers 20 ms of their time.
   */
  settled(): Promise<void>;
  /** The same after doing something: `await act(() => server.publish('room', 'hi'))`. */
  act(work: () => unknown): Promise<void>;
}

/**
 * Renders below an AnywireProvider, with a client of the server in memory, and waits until what is
 * said in doing so has arrived and is drawn. It is unmounted with the test where `setupVitest` or
 * the testing library cleans up.
 */
export async function renderWithAnywire<C extends ChannelDefs, R extends RpcDefs>(
  ui: ReactNode,
  options: RenderWithAnywireOptions<C, R>,
): Promise<RenderedWithAnywire> {
  const { server, client = server.createClient(), strict = true, wrapper, ...others } = options;
  const Outer = (wrapper ?? Plain) as ComponentType<{ children: ReactNode }>;
  const Wrapper = ({ children }: { readonly children: ReactNode }): ReactElement => (
    <Outer>
      <AnywireProvider client={client}>{children}</AnywireProvider>
    </Outer>
  );
  const doing = async (work: () => unknown): Promise<void> => {
    await act(async () => {
      await work();
      await server.settled();
    });
    // Lists are drawn once a frame, and what is drawn may ask for more.
    await act(async () => {
      await frame();
      await server.settled();
    });
  };
  // At the root, for further down effects are not run twice.
  const result = render(ui, { ...others, wrapper: Wrapper, reactStrictMode: strict });
  const ending = {
    close() {
      forget(ending);
      result.unmount();
    },
  };
  made(ending);
  await doing(() => {});
  return { ...result, client, settled: () => doing(() => {}), act: doing };
}

/** Fake timers of the common kind know the clock that they belong to. */
interface FakeTimer {
  readonly clock?: { tick(ms: number): unknown };
}
const frameMs = 20;

/** Lets the time of one frame pass, be it real or fake. */
async function frame(): Promise<void> {
  const { clock } = globalThis.setTimeout as FakeTimer;
  if (clock) clock.tick(frameMs);
  else await new Promise<void>((resolve) => frameScheduler(resolve, 0));
}

function Plain({ children }: { readonly children: ReactNode }): ReactNode {
  return children;
}
