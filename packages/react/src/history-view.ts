import {
  type AnywireError,
  type Channel,
  type ChannelRef,
  type Client,
  type Gap,
  history,
  type Position,
  type Received,
  safely,
} from '@anywire/client';
import type { PreloadedHistory } from './boundary';
import { behind } from './channel-view';
import { type ChannelStatus, Feed } from './feed';
import { Source } from './source';

/** What `useHistory` and `useOptimisticPublish` take. */
export interface UseHistoryOptions<M> {
  /** Messages in a page. Default 50. */
  readonly pageSize?: number;
  /** Begin with these, instead of those of a HistoryBoundary. */
  readonly initial?: PreloadedHistory<M> | undefined;
  /** Most messages kept. Default 1000. */
  readonly limit?: number;
  /** Sees every message that is new, in order, in the turn in which it arrives. */
  readonly onMessage?: (message: M) => void;
  /** Messages are lost: from where to where, and why. */
  readonly onGap?: (gap: Gap) => void;
  /** Whatever also shows in `error`. */
  readonly onError?: (error: AnywireError) => void;
}

/** Messages are missing from the list before `messages[index]`. */
export interface HistoryGap extends Pick<Gap, 'from' | 'to' | 'reason'> {
  readonly index: number;
}

/** What `useHistory` returns. */
export interface HistoryState<M = unknown> {
  /** Oldest first, without a hole but for `gaps`, no message twice. */
  readonly messages: readonly M[];
  /**
   * Puts the page before in front. Does nothing when there is none, or while one is on its way.
   * Beyond `limit` the newest make room; see `atLive`.
   */
  readonly fetchOlder: () => Promise<void>;
  /** There are older messages than the first of the list. */
  readonly hasOlder: boolean;
  /** A page is on its way. */
  readonly isFetching: boolean;
  /** The list ends with the newest message there is, and the next one will be added. */
  readonly atLive: boolean;
  /** Where the newest have made room for older ones: puts the page behind at the end. */
  readonly fetchNewer: () => Promise<void>;
  /**
   * Gives up the place in history, and begins again with the newest page. Where that cannot be had
   * the list stays as it is, and `error` says why.
   */
  readonly toLive: () => Promise<void>;
  /** See `ChannelStatus`. */
  readonly status: ChannelStatus;
  /** What went wrong last; while `connecting`, why the last try failed. */
  readonly error: AnywireError | undefined;
  /** Where in the list messages are missing that cannot be had any more. */
  readonly gaps: readonly HistoryGap[];
}

/** A gap before the message with this number. */
interface Mark extends Pick<Gap, 'from' | 'to' | 'reason'> {
  readonly at: number;
}

/**
 * A window on the messages of a channel, to which pages are added in front and live messages at the
 * end. It subscribes first and pages back from the position at which the subscription began, so
 * there is neither a hole between the two nor a message in both.
 *
 * Messages are numbered as they stand in the list, the first ever being 0 and older ones negative,
 * so that the place of a gap is not disturbed by what is added or let go of at either end.
 */
export class HistoryView<T, I, In, E> extends Source<HistoryState<Received<T, E>>> {
  readonly #feed: Feed<T, I, In, E> | undefined;
  #options: UseHistoryOptions<Received<T, E>>;
  #items: readonly Received<T, E>[] = [];
  /** Number of the first item. */
  #first = 0;
  #pending: Received<T, E>[] = [];
  #marks: readonly Mark[] = [];
  /** Where the list ends as long as it has no message. Unset until it is known where to begin. */
  #origin: Position | undefined;
  #hasOlder = false;
  /** The list goes to the newest message there is. */
  #whole = true;
  #fetching: Promise<void> | undefined;
  /** What is shown until the page for which everything was given up is there. */
  #former: Pick<HistoryState<Received<T, E>>, 'messages' | 'gaps'> | undefined;
  #error: AnywireError | undefined;

  constructor(
    client: Client,
    target: string | ChannelRef<T, I, In, E> | undefined,
    options: UseHistoryOptions<Received<T, E>>,
    initial: PreloadedHistory<Received<T, E>> | undefined,
  ) {
    super();
    this.#options = options;
    this.#origin = behind(initial as PreloadedHistory | undefined);
    if (target !== undefined) this.#feed = new Feed(client, target, {}, this.#origin);
    if (!initial) return;
    this.#items = initial.messages;
    this.#hasOlder = initial.more && initial.messages.length > 0;
  }

  /** Where the live end is. */
  get position(): Position | undefined {
    return this.#feed?.position;
  }

  /** Undefined when the hook was given none. */
  get channel(): Channel<T, I, In, E> | undefined {
    return this.#feed?.channel;
  }

  update(options: UseHistoryOptions<Received<T, E>>): void {
    this.#options = options;
  }

  attach(): () => void {
    const feed = this.#feed;
    if (!feed) return () => {};
    const leave = feed.attach({
      message: (message) => {
        this.#add(message);
        safely(() => this.#options.onMessage?.(message));
      },
      status: () => {
        if (!this.#origin && feed.status === 'live') this.#begin(feed.position);
        this.changed();
      },
      gap: (gap) => {
        // Elsewhere it is found when one gets there.
        if (this.#whole) this.#mark(gap);
        this.changedSoon();
        safely(() => this.#options.onGap?.(gap));
      },
      error: (error, dropped) => this.fail(error, dropped),
    });
    return () => {
      leave();
      this.changed();
    };
  }

  protected override changed(): void {
    this.#merge();
    super.changed();
  }

  protected take(): HistoryState<Received<T, E>> {
    const status = this.#feed?.status ?? 'off';
    const gaps = this.#marks.map(({ at, ...gap }) => ({ ...gap, index: at - this.#first }));
    return {
      messages: this.#items,
      gaps: gaps.filter(({ index }) => index > 0),
      ...this.#former,
      fetchOlder: this.#fetchOlder,
      hasOlder: this.#hasOlder,
      isFetching: this.#fetching !== undefined,
      atLive: this.#whole && !this.#former && status === 'live',
      fetchNewer: this.#fetchNewer,
      toLive: this.#toLive,
      status,
      error: this.#feed?.error ?? this.#error ?? this.#feed?.trouble,
    };
  }

  get #limit(): number {
    return Math.max(1, this.#options.limit ?? 1000);
  }

  get #pageSize(): number {
    return Math.min(this.#options.pageSize ?? 50, this.#limit, 1000);
  }

  // ---- live

  #begin(position: Position | undefined): void {
    this.#origin = position;
    if (position && position.offset > 0) void this.#fetch(() => this.#older());
  }

  #add(message: Received<T, E>): void {
    if (!this.#whole) return;
    const last = this.#pending.at(-1) ?? this.#items.at(-1) ?? this.#origin;
    // A page from history may have been ahead of what is pushed.
    if (last?.epoch === message.epoch && message.offset <= (last?.offset ?? -1)) return;
    this.#pending.push(message);
    if (this.#pending.length > this.#limit) this.#merge();
    this.changedSoon();
  }

  #mark({ from, to, reason }: Pick<Gap, 'from' | 'to' | 'reason'>): void {
    this.#merge();
    this.#marks = [...this.#marks, { from, to, reason, at: this.#first + this.#items.length }];
  }

  /** Puts what is pending at the end; what is over the limit goes from the front. */
  #merge(): void {
    if (this.#pending.length === 0) return;
    const pending = this.#pending;
    this.#pending = [];
    this.#append(pending);
  }

  #append(more: readonly Received<T, E>[]): void {
    const all = [...this.#items, ...more];
    const over = Math.max(0, all.length - this.#limit);
    this.#items = over > 0 ? all.slice(over) : all;
    this.#first += over;
    if (over === 0) return;
    this.#hasOlder = true;
    this.#marks = this.#marks.filter(({ at }) => at > this.#first);
  }

  // ---- pages

  readonly #fetchOlder = (): Promise<void> =>
    this.#hasOlder ? this.#fetch(() => this.#older()) : Promise.resolve();

  readonly #fetchNewer = (): Promise<void> =>
    this.#whole ? Promise.resolve() : this.#fetch(() => this.#newer());

  readonly #toLive = (): Promise<void> => {
    // A page that is on its way may yet push out the newest.
    if (this.#fetching) return this.#fetching.then(this.#toLive);
    return this.#whole ? Promise.resolve() : this.#fetch(() => this.#restart());
  };

  /** One at a time: who asks for another page meanwhile waits for this one. Never rejects. */
  #fetch(run: () => Promise<void>): Promise<void> {
    const { status } = this.#feed ?? { status: 'off' };
    if (status !== 'live' && status !== 'waiting') return Promise.resolve();
    if (!this.#fetching) {
      this.#fetching = run()
        .catch((error: AnywireError) => this.fail(error))
        .then(() => {
          this.#fetching = undefined;
          this.#former = undefined;
          this.changed();
        });
      this.changed();
    }
    return this.#fetching;
  }

  /** Passes over pages of which the contract has left nothing, as they would stand for the end. */
  async #page(query: { readonly before: number } | { readonly after: number }) {
    const order = 'before' in query ? 'backward' : 'forward';
    const { channel } = this.#feed as Feed<T, I, In, E>;
    let page = await history(channel, { ...query, order, limit: this.#pageSize });
    while (page.messages.length === 0) {
      const next = await page.next();
      if (!next) break;
      page = next;
    }
    return page;
  }

  async #older(): Promise<void> {
    this.#merge();
    const first = this.#first;
    const [edge] = this.#items;
    const { epoch, offset } = edge ?? (this.#origin as Position);
    const before = edge ? offset : offset + 1;
    // What may succeed later is worth another try of the caller's.
    const page = await this.#page({ before }).then(undefined, (error: AnywireError) => {
      this.#hasOlder = error.retry;
      throw error;
    });
    this.#merge();
    // Messages have pushed out what this page would have joined.
    if (first !== this.#first) return;
    // The stream began anew: what was before is not there any more.
    this.#hasOlder = page.epoch === epoch && page.more;
    if (page.epoch !== epoch) return;
    const older = page.messages.filter((message) => message.offset < before).reverse();
    const all = [...older, ...this.#items];
    this.#first -= older.length;
    this.#items = all.slice(0, this.#limit);
    if (all.length === this.#items.length) return;
    this.#whole = false;
    const end = this.#first + this.#items.length;
    this.#marks = this.#marks.filter(({ at }) => at < end);
  }

  async #newer(): Promise<void> {
    for (;;) {
      const edge = this.#items.at(-1) as Received<T, E>;
      const page = await this.#page({ after: edge.offset });
      const top = this.#feed?.position;
      if (page.epoch !== edge.epoch || top?.epoch !== edge.epoch) return this.#restart();
      const newer = page.messages.filter(({ offset }) => offset > edge.offset);
      const from = edge.offset + 1;
      const to = Math.min(page.oldest, newer[0]?.offset ?? top.offset + 1) - 1;
      if (from <= to) this.#mark({ from, to, reason: 'evicted' });
      this.#append(newer);
      if (page.more) return;
      this.#whole = newer.length === 0 || (newer.at(-1)?.offset ?? 0) >= top.offset;
      if (this.#whole) return;
      // Some have been published since the page was made.
    }
  }

  /** Gives up the place in history for the newest page; keeps it when that cannot be had. */
  async #restart(): Promise<void> {
    const { messages, gaps } = this.getSnapshot();
    const kept = [this.#items, this.#first, this.#marks, this.#hasOlder] as const;
    this.#former = { messages, gaps };
    this.#items = [];
    this.#marks = [];
    this.#whole = true;
    this.#origin = this.#feed?.position;
    try {
      await this.#older();
    } catch (error) {
      [this.#items, this.#first, this.#marks, this.#hasOlder] = kept;
      // What has come meanwhile is not behind these.
      this.#pending = [];
      this.#whole = false;
      throw error;
    }
  }

  /** Shows an error; one that is not `lasting` only tells of what the feed shows. */
  fail(error: AnywireError, lasting = true): void {
    if (lasting) this.#error = error;
    this.changedSoon();
    safely(() => this.#options.onError?.(error));
  }
}
