import type { WireMessage } from '@anywire/client';

/** A subscription as the frames tell of it. */
export interface ChannelFacts {
  readonly name: string;
  readonly pattern: boolean;
  /** `asked`: no answer yet. `waiting`: it was live, and the link is lost. */
  readonly status: 'asked' | 'live' | 'waiting' | 'refused';
  /** The last offset that was seen. */
  readonly offset: number | undefined;
  readonly epoch: string | undefined;
  readonly messages: number;
  /** Messages that the server says are lost. */
  readonly lost: number;
  /** Members of its presence; undefined where nobody watches. */
  readonly members: number | undefined;
  /** Why it was refused. */
  readonly code: string | undefined;
}

/** Most names kept: what an application subscribes to one after the other has no limit. */
const namesMax = 256;

/**
 * Which channels are in use, read from the frames that pass. Nothing here trusts a frame: a member
 * of the wrong type is taken for one that is absent.
 */
export class ChannelBook {
  readonly #facts = new Map<string, ChannelFacts>();
  /** Commands that wait for their answer, by id. */
  readonly #asked = new Map<number, string>();

  get list(): readonly ChannelFacts[] {
    return [...this.#facts.values()];
  }

  sent(message: WireMessage): void {
    const key = keyOf(message);
    if (key === undefined) return;
    if (message.type === 'subscribe') {
      this.#set(key, { status: 'asked', code: undefined });
      if (typeof message.id === 'number') this.#remember(message.id, key);
    } else if (message.type === 'unsubscribe') {
      this.#facts.delete(key);
    }
  }

  /** Gives how many messages this one says are lost. */
  came(message: WireMessage): number {
    const asked = typeof message.id === 'number' ? this.#asked.get(message.id) : undefined;
    if (asked !== undefined) this.#asked.delete(message.id as number);
    const key = keyOf(message) ?? asked;
    if (key === undefined) return 0;
    switch (message.type) {
      case 'subscribed':
        this.#set(key, { status: 'live', code: undefined, ...position(message) });
        return this.#lose(key, message.gap);
      case 'message':
        return this.#message(key, message);
      case 'advance':
        if (this.#facts.has(key)) this.#set(key, position(message));
        return 0;
      case 'gap':
        this.#set(key, position(message));
        return this.#lose(key, message);
      case 'presence':
        if (typeof message.count === 'number') this.#set(key, { members: message.count });
        return 0;
      case 'unsubscribed':
        this.#refuse(key, message, message.code !== undefined);
        return 0;
      case 'error':
        if (asked !== undefined) this.#refuse(asked, message, true);
        return 0;
      default:
        return 0;
    }
  }

  /** The link is lost; what was subscribed to will be asked for again. */
  down(): void {
    this.#asked.clear();
    for (const [key, facts] of this.#facts) {
      if (facts.status !== 'refused') this.#facts.set(key, { ...facts, status: 'waiting' });
    }
  }

  clear(): void {
    this.#facts.clear();
    this.#asked.clear();
  }

  #message(key: string, message: WireMessage): number {
    const known = this.#facts.get(key);
    // What no subscription of its own is known for came by a pattern, or began before we looked.
    if (!known && [...this.#facts.values()].some(({ pattern }) => pattern)) return 0;
    this.#set(key, { status: 'live', messages: (known?.messages ?? 0) + 1, ...position(message) });
    return 0;
  }

  #lose(key: string, gap: unknown): number {
    const { from, to, missed } = (typeof gap === 'object' && gap !== null ? gap : {}) as {
      readonly [member: string]: unknown;
    };
    const span = typeof from === 'number' && typeof to === 'number' ? to - from + 1 : missed;
    const lost = typeof span === 'number' && span > 0 ? span : 0;
    if (lost > 0) this.#set(key, { lost: (this.#facts.get(key)?.lost ?? 0) + lost });
    return lost;
  }

  #refuse(key: string, message: WireMessage, told: boolean): void {
    if (!this.#facts.has(key)) return;
    if (told) this.#set(key, { status: 'refused', code: String(message.code) });
    else this.#facts.delete(key);
  }

  #set(key: string, change: Partial<ChannelFacts>): void {
    const before = this.#facts.get(key) ?? {
      name: key.slice(1),
      pattern: key.startsWith('*'),
      status: 'live',
      offset: undefined,
      epoch: undefined,
      messages: 0,
      lost: 0,
      members: undefined,
      code: undefined,
    };
    this.#facts.set(key, { ...before, ...change });
    if (this.#facts.size > namesMax) forgetFirst(this.#facts);
  }

  #remember(id: number, key: string): void {
    this.#asked.set(id, key);
    if (this.#asked.size > namesMax) forgetFirst(this.#asked);
  }
}

/** Patterns and channels have keys that never meet. */
function keyOf({ channel, pattern }: WireMessage): string | undefined {
  if (typeof channel === 'string') return `#${channel}`;
  return typeof pattern === 'string' ? `*${pattern}` : undefined;
}

function position(message: WireMessage): Partial<ChannelFacts> {
  const { epoch, offset } = message;
  return {
    ...(typeof epoch === 'string' && { epoch }),
    ...(typeof offset === 'number' && { offset }),
  };
}

function forgetFirst(map: Map<unknown, unknown>): void {
  const [first] = map.keys();
  map.delete(first);
}
