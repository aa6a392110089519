'use client';

import type { Client } from '@anywire/client';
import type { Contract } from '@anywire/client/contract';
import { AnywireProvider } from '@anywire/react';
import { type ComponentType, type ReactElement, useEffect, useState } from 'react';
import { createMockServer } from './create';
import type { MockServer } from './mock-server';
import type { ChannelDefs, MockClientOptions, MockServerOptions, RpcDefs } from './types';

/**
 * What happens in a story: it publishes, lets members enter, cuts connections. A function that it
 * returns is called when the story is left.
 */
export type StoryScript<C extends ChannelDefs, R extends RpcDefs> = (
  server: MockServer<C, R>,
) => unknown;

/** A story, or a preview, with a server of its own. */
export interface AnywireStory<C extends ChannelDefs, R extends RpcDefs> {
  /** What the server holds everybody to. Default: nothing. */
  readonly contract?: Contract<C, R>;
  /** Run once the story is there. */
  readonly script?: StoryScript<C, R>;
  /** Further options of the server. */
  readonly server?: MockServerOptions;
  /** Who looks at the story, for example `{ token: 'ann' }`. */
  readonly client?: MockClientOptions;
}

/**
 * A decorator for Storybook: each story has a server of its own, in the browser, and a client.
 *
 *   export const decorators = [withAnywire({ script: (server) => server.publish('room', 'hi') })];
 */
export function withAnywire<
  C extends ChannelDefs = Record<never, never>,
  R extends RpcDefs = Record<never, never>,
>(story: AnywireStory<C, R> = {}): (Story: ComponentType) => ReactElement {
  return (Story) => (
    <Stage story={story as unknown as AnywireStory<ChannelDefs, RpcDefs>}>
      <Story />
    </Stage>
  );
}

interface StageProps {
  readonly story: AnywireStory<ChannelDefs, RpcDefs>;
  readonly children: ReactElement;
}

function Stage({ story, children }: StageProps): ReactElement {
  const [play] = useState(() => new Play(story));
  useEffect(() => play.mount(), [play]);
  return <AnywireProvider client={play.client}>{children}</AnywireProvider>;
}

/** A server, a client and a script, as long as the story is there. */
class Play {
  readonly client: Client;
  readonly #server: MockServer<ChannelDefs, RpcDefs>;
  readonly #script: StoryScript<ChannelDefs, RpcDefs> | undefined;
  #leaving: ReturnType<typeof setTimeout> | undefined;

  constructor({ contract, script, server, client }: AnywireStory<ChannelDefs, RpcDefs>) {
    this.#server = contract
      ? createMockServer(contract, server)
      : (createMockServer(server) as unknown as MockServer<ChannelDefs, RpcDefs>);
    this.#script = script;
    this.client = this.#server.createClient(client);
  }

  /** Begins; returns how to end. StrictMode does both once before it begins in earnest. */
  mount(): () => void {
    clearTimeout(this.#leaving);
    if (this.client.state === 'closed') void this.client.connect();
    let stop: unknown;
    const starting = setTimeout(() => {
      stop = this.#script?.(this.#server);
    }, 0);
    return () => {
      clearTimeout(starting);
      if (typeof stop === 'function') stop();
      this.#leaving = setTimeout(() => void this.client.close(), 0);
    };
  }
}
