import {
  type AnywireError,
  type Channel,
  type ChannelOptions,
  type ChannelRef,
  type Client,
  type Gap,
  history,
  type Message,
  type Position,
  type Received,
  type Unsubscribe,
} from '@anywire/client';
import type { PreloadedHistory } from '../boundary';
import { Feed } from '../feed';
import { Waiting } from './waiting';

/** What has to be there before a component is rendered. */
export interface PrimerWishes extends ChannelOptions {
  /** So many of the newest messages of history. Without it the subscription is enough. */
  readonly page?: number;
  /** One message. */
  readonly first?: boolean;
}

type Item<M> =
  | { readonly kind: 'message'; readonly value: M }
  | { readonly kind: 'gap'; readonly value: Gap }
  | { readonly kind: 'error'; readonly value: AnywireError };

/** Messages kept for components that are not mounted yet; what is over that is told as a gap. */
const logMax = 10_000;

/**
 * Subscribes for components that cannot do so themselves, since they are suspended and a suspended
 * component has no effects. It writes down what arrives, so that a component begins with all of it
 * and goes on, through `client`, at the very message behind: nothing is asked of the server twice.
 */
export class Primer<T, I, In, E> extends Waiting {
  /** For the views of components: its channels go on behind what `initial` had. */
  readonly client: Client;
  readonly #real: Client;
  readonly #wishes: PrimerWishes;
  readonly #feed: Feed<T, I, In, E>;
  #leave: Unsubscribe | undefined;
  #log: Item<Received<T, E>>[] = [];
  #origin: Position | undefined;
  #page: readonly Received<T, E>[] = [];
  #more = false;
  #problem: AnywireError | undefined;
  #oldest = 0;
  #asked = false;
  #whole = false;

  constructor(
    client: Client,
    target: string | ChannelRef<T, I, In, E>,
    options: ChannelOptions,
    wishes: PrimerWishes,
  ) {
    super(client);
    this.#real = client;
    this.#wishes = wishes;
    this.#feed = new Feed(client, target, options, undefined);
    this.client = this.#standIn();
    // Where others are subscribed already there is nothing to wait for, and nobody to disturb.
    this.begin(client.snapshot.state === 'open' && this.#feed.channel.cursor !== undefined);
  }

  /** What a component begins with. */
  get initial(): PreloadedHistory<Received<T, E>> | undefined {
    const position = this.#feed.position ?? this.#origin;
    if (!position || this.status !== 'ready') return undefined;
    const messages = [...this.#page, ...this.heard];
    const last = messages.at(-1) as Message | undefined;
    return {
      channel: this.#feed.channel.name,
      epoch: last?.epoch ?? position.epoch,
      messages,
      top: position.offset,
      oldest: this.#oldest,
      more: this.#more,
    };
  }

  /** Why there is no page of history. */
  get problem(): AnywireError | undefined {
    return this.#problem;
  }

  /** The messages that have come since the subscription began. */
  get heard(): readonly Received<T, E>[] {
    return this.#log.flatMap((item) => (item.kind === 'message' ? [item.value] : []));
  }

  protected start(): void {
    this.#leave = this.#feed.attach({
      message: (value) => {
        this.#write({ kind: 'message', value });
        this.#look();
      },
      gap: (value) => this.#gap(value),
      error: (value) => this.#write({ kind: 'error', value }),
      status: () => this.#look(),
    });
  }

  protected stop(): void {
    this.#leave?.();
    this.#leave = undefined;
  }

  #look(): void {
    if (this.status !== 'pending') return;
    const { status, error, position } = this.#feed;
    if (status === 'refused' || status === 'failed') this.fail(error);
    if (status === 'off') this.settle('gone');
    if (status !== 'live') return;
    this.#origin ??= position;
    const { page, first } = this.#wishes;
    if (page !== undefined && !this.#asked) void this.#ask(page);
    const enough = page === undefined || this.#whole;
    const some =
      !first || this.#page.length > 0 || this.#log.some(({ kind }) => kind === 'message');
    if (enough && some) this.settle('ready');
  }

  async #ask(limit: number): Promise<void> {
    this.#asked = true;
    const origin = this.#origin;
    try {
      if (!origin || origin.offset === 0) return;
      const query = { before: origin.offset + 1, order: 'backward', limit } as const;
      const page = await history(this.#feed.channel, query);
      if (page.epoch !== origin.epoch || this.#origin !== origin) return;
      this.#page = [...page.messages].reverse();
      this.#more = page.more;
      this.#oldest = page.oldest;
    } catch (cause) {
      // A channel without history is no reason to show nothing.
      if (this.#origin === origin) this.#problem = cause as AnywireError;
    } finally {
      this.#whole = this.#origin === origin;
      this.#look();
    }
  }

  #gap(value: Gap): void {
    if (this.#wishes.page === undefined || this.status !== 'pending') {
      this.#write({ kind: 'gap', value });
      return;
    }
    // Nobody has seen anything yet, so the list may as well begin behind the gap.
    this.#log = [];
    this.#origin = undefined;
    this.#asked = false;
    this.#look();
  }

  #write(item: Item<Received<T, E>>): void {
    this.#log.push(item);
    if (this.#log.length <= logMax) return;
    const lost = this.#log.splice(0, logMax / 10);
    const offsets = lost.flatMap(({ kind, value }) =>
      kind === 'message' ? [(value as Message).offset] : kind === 'gap' ? [value.from] : [],
    );
    const to = lost.findLast(({ kind }) => kind === 'message')?.value as Message | undefined;
    const { name: channel } = this.#feed.channel;
    const range = { from: offsets[0], to: to?.offset, missed: undefined };
    const gap = { channel, ...range, reason: 'slow', position: undefined };
    this.#log.unshift({ kind: 'gap', value: gap });
  }

  #standIn(): Client {
    const real = this.#real;
    const channel: Client['channel'] = (target: never, options: never) =>
      this.#continued(real.channel(target, options)) as never;
    const on: Client['on'] = (name, listener) => real.on(name, listener);
    return {
      get snapshot() {
        return real.snapshot;
      },
      get state() {
        return real.state;
      },
      on,
      channel,
    } as unknown as Client;
  }

  /**
   * A channel whose first subscription gets what was written down behind the position it names,
   * before it goes on live. While the primer runs, the cursor of the channel is the end of its log.
   */
  #continued(channel: Channel): Channel {
    type Listener = (value: never) => void;
    const told: Record<string, Set<Listener>> = { gap: new Set(), error: new Set() };
    const { on, subscribe } = channel;
    let first = true;
    channel.on = (name, listener) => {
      const leave = on.call(channel, name, listener as never);
      told[name]?.add(listener);
      return () => {
        told[name]?.delete(listener);
        leave();
      };
    };
    channel.subscribe = (listener, options = {}) => {
      if (!first || !this.#leave) return subscribe.call(channel, listener, options);
      first = false;
      const leave = subscribe.call(channel, listener);
      const { since } = options;
      for (const { kind, value } of this.#log) {
        for (const tell of [...(told[kind] ?? [])]) tell(value as never);
        if (kind === 'message' && since && behind(value as Message, since)) {
          listener(value as never);
        }
      }
      return leave;
    };
    return channel;
  }
}

function behind({ epoch, offset }: Message, since: Position): boolean {
  return epoch !== since.epoch || offset > since.offset;
}
