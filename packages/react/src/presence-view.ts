import {
  AnywireError,
  type Channel,
  type ChannelRef,
  type Client,
  type Member,
  type PresenceOf,
  type PresenceSnapshot,
  presence,
} from '@anywire/client';
import { attendanceOf, contentOf } from './attendance';
import type { ChannelStatus } from './feed';
import { Source } from './source';

/** What `usePresence` returns. */
export interface PresenceState<I = unknown> {
  /** Us, as the others see us; undefined while we are not present. */
  readonly self: Member<I> | undefined;
  /** All members but this session. */
  readonly others: readonly Member<I>[];
  /** Both. */
  readonly members: readonly Member<I>[];
  /** How many are present, also where the list is too long to be sent. */
  readonly count: number;
  /** How many different users they are. */
  readonly users: number;
  /** The list is whole and current. */
  readonly complete: boolean;
  /** See `ChannelStatus`. */
  readonly status: ChannelStatus;
  /** Why we cannot be present, or watch. */
  readonly error: AnywireError | undefined;
  /**
   * Becomes present with this info, or changes it, until `me` changes or the component is gone.
   * What it rejects with also shows in `error`.
   */
  readonly update: (info: I) => Promise<void>;
}

const nobody: PresenceSnapshot<never> = Object.freeze({
  members: Object.freeze([]),
  count: 0,
  users: 0,
  complete: false,
});

/** What one `usePresence` sees of one channel. */
export class PresenceView<T, I, In, E> extends Source<PresenceState<I>> {
  readonly #client: Client;
  readonly #name: string | undefined;
  readonly #channel: Channel<T, I, In, E> | undefined;
  readonly #presence: PresenceOf<I> | undefined;
  #attached = false;
  /** Something was heard on this connection, so the subscription stands. */
  #live = false;
  #wasLive = false;
  #refused = false;
  /** The last list that was known; it is shown until there is another. */
  #shown: PresenceSnapshot<I> = nobody;
  #error: AnywireError | undefined;
  #me: string | undefined;
  /** What we are to be present with; undefined: not at all. */
  #info: I | undefined;

  constructor(client: Client, target: string | ChannelRef<T, I, In, E> | undefined) {
    super();
    this.#client = client;
    if (target === undefined) return;
    this.#channel = client.channel(target);
    this.#name = this.#channel.name;
    this.#presence = presence(this.#channel);
  }

  /** `me` has been rendered; a literal with the same content as before is no change. */
  want(me: I | null | undefined): void {
    const content = me == null ? undefined : (contentOf(me) ?? 'no JSON');
    if (content === this.#me) return;
    this.#me = content;
    this.#info = me ?? undefined;
    if (!this.#attached) return;
    if (this.#info === undefined) this.#attendance?.leave(this);
    else this.#enter(this.#info);
  }

  attach(): () => void {
    const client = this.#client;
    if (!this.#channel || !this.#presence) return () => {};
    this.#attached = true;
    const leaves = [
      client.on('state', ({ state }, before) => {
        if (state !== 'open' && state !== 'offline') this.#live = false;
        // The list may have come while the device said that it was offline.
        if (state === 'open' && this.#presence?.snapshot.complete) this.#isLive();
        // Closing made us forgotten.
        if (before.state === 'closed') this.#enterAnew();
        this.changed();
      }),
      client.on('error', (error) => {
        if (error.channel !== this.#name) return;
        // Perhaps we have been put out; then entering again is worth a try, when somebody asks.
        this.#attendance?.forget();
        // Our own presence may be refused, while we see that of the others.
        this.#live = this.#presence?.snapshot.complete === true;
        this.#refused = !this.#live && !error.retry;
        this.#fail(error);
      }),
      // Info of somebody that the contract refuses.
      this.#channel.on('error', (error) => this.#fail(error)),
    ];
    try {
      // The list is also let go of when the subscription is lost; but that is told right after.
      const change = this.#presence.on('change', () => {
        if (/open|offline/.test(client.snapshot.state)) this.#isLive();
        this.changedSoon();
      });
      leaves.push(change);
    } catch (error) {
      // The contract has no such channel.
      this.#refused = true;
      this.#fail(error as AnywireError);
    }
    if (client.snapshot.state === 'open' && this.#presence.snapshot.complete) this.#isLive();
    if (this.#info !== undefined) this.#enter(this.#info);
    this.changed();
    return () => {
      this.#attendance?.leave(this);
      for (const leave of leaves) leave();
      this.#attached = false;
      this.#live = false;
      this.changed();
    };
  }

  get #attendance(): ReturnType<typeof attendanceOf> | undefined {
    if (!this.#presence || this.#name === undefined) return undefined;
    return attendanceOf(this.#client, this.#name, this.#presence as PresenceOf);
  }

  #isLive(): void {
    this.#live = true;
    this.#wasLive = true;
    if (this.#refused) this.#error = undefined;
    this.#refused = false;
  }

  #enterAnew(): void {
    this.#attendance?.forget();
    if (this.#info !== undefined) this.#enter(this.#info);
  }

  #enter(info: I): Promise<void> {
    const entered =
      this.#attendance?.enter(this, info) ??
      Promise.reject(new AnywireError('no_channel', 'There is no channel'));
    // Whoever does not look at the promise still sees the error, and nothing breaks.
    entered.catch((error: AnywireError) => this.#fail(error));
    return entered;
  }

  #fail(error: AnywireError): void {
    if (error.code === 'closed') return;
    this.#error = error;
    this.changedSoon();
  }

  readonly #update = (info: I): Promise<void> => {
    this.#info = info;
    return this.#enter(info);
  };

  get #status(): ChannelStatus {
    const { state } = this.#client.snapshot;
    if (!this.#attached || state === 'closed') return 'off';
    if (state === 'failed') return 'failed';
    if (this.#live && state === 'open') return 'live';
    if (this.#refused) return 'refused';
    return this.#wasLive ? 'waiting' : 'connecting';
  }

  protected take(): PresenceState<I> {
    if (this.#live && this.#presence) this.#shown = this.#presence.snapshot;
    const { members, count, users, complete } = this.#shown;
    const { clientId, error } = this.#client.snapshot;
    const self = members.find(({ client }) => client === clientId);
    const status = this.#status;
    return {
      self,
      others: self ? members.filter((member) => member !== self) : members,
      members,
      count,
      users,
      complete: complete && status === 'live',
      status,
      error:
        status === 'failed'
          ? error
          : (this.#error ?? (status === 'connecting' ? error : undefined)),
      update: this.#update,
    };
  }
}
