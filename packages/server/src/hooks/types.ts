import type { Capability } from '../token/claims';

/** Whom a hook is about. */
export interface HookClient {
  /** Its public id; none before it is connected. */
  readonly id?: string;
  /** Its user, as its token says; none: a guest. */
  readonly user?: string;
  /** Presence info of its token. */
  readonly info?: unknown;
  /** `native` or `raw`, for instance. */
  readonly protocol: string;
  readonly address?: string;
  /** Of the page it comes from, where it is a browser. */
  readonly origin?: string;
}

interface Hook {
  /** Of this question; the same when it is asked again because no answer came. */
  readonly id: string;
  readonly client: HookClient;
}

/** Somebody connects; its token, if it has one, has been found good. */
export interface ConnectHook extends Hook {
  readonly token?: string;
}
/** Somebody subscribes to a channel whose rule has `subscribe_hook`. */
export interface SubscribeHook extends Hook {
  readonly channel: string;
}
/** Somebody publishes to a channel whose rule has `publish_hook`. */
export interface PublishHook<Data = unknown> extends Hook {
  readonly channel: string;
  readonly event?: string;
  /** JSON's, a string (`text`), or bytes. */
  readonly data: Data;
  readonly tags?: Readonly<Record<string, string>>;
}
/** Somebody calls a method. */
export interface RpcHook<Data = unknown> extends Hook {
  readonly method: string;
  readonly data: Data;
}

/** Something that has happened. */
export interface HookEvent {
  /**
   * `occupied`, `vacated`: a channel got its first subscriber, or lost its last. `join`, `leave`:
   * somebody entered a channel, or left. `disconnected`: a client is gone for good.
   */
  readonly type: 'occupied' | 'vacated' | 'join' | 'leave' | 'disconnected';
  readonly channel?: string;
  readonly client?: string;
  readonly user?: string;
  /** Unix milliseconds. */
  readonly time: number;
}
/** Up to a hundred of them. */
export interface EventsHook {
  readonly id: string;
  readonly events: readonly HookEvent[];
  /** So many before these could not be told: the application was away for too long. */
  readonly lost: number;
}

/** What to do besides. Without `user` and `client` it is about the client that the hook is about. */
export type Action =
  | {
      readonly do: 'publish';
      readonly channel?: string;
      readonly user?: string;
      readonly data: unknown;
      readonly event?: string;
      readonly tags?: Readonly<Record<string, string>>;
      readonly conflationKey?: string;
      readonly messageId?: string;
      readonly idempotencyKey?: string;
    }
  | {
      readonly do: 'subscribe' | 'unsubscribe';
      readonly channel: string;
      readonly user?: string;
      readonly client?: string;
    }
  | {
      readonly do: 'disconnect';
      readonly user?: string;
      readonly client?: string;
      readonly reason?: string;
      readonly reconnect?: boolean;
    };

interface Answer {
  readonly actions?: readonly Action[];
}
/** What is said replaces what the token says. */
export interface ConnectAnswer extends Answer {
  readonly user?: string;
  readonly info?: unknown;
  readonly capability?: Capability;
  readonly channels?: readonly string[];
  /** Unix milliseconds. */
  readonly expires?: number;
}
/** Allowed, with more to do. */
export interface SubscribeAnswer extends Answer {}
/** What is said replaces what the client said. */
export interface PublishAnswer<Data = unknown> extends Answer {
  readonly data?: Data;
  readonly event?: string;
  readonly tags?: Readonly<Record<string, string>>;
  /** Tell the client that it is published, at offset 0, and do not. */
  readonly drop?: boolean;
}

/** Nothing, or `true`, allows. `false` refuses, as `refuse()` does with words. */
// biome-ignore lint/suspicious/noConfusingVoidType: a handler that returns nothing allows.
export type Verdict<A> = A | Refusal | boolean | undefined | void;

/** What goes with a refusal. */
export interface RefusalDetails {
  /** For programs: the client's error has it as `reason`. */
  readonly reason?: string;
  /** The same may be allowed later. */
  readonly retry?: boolean;
  /** The client's connection is closed as well. */
  readonly disconnect?: boolean;
  readonly actions?: readonly Action[];
}

/** Made by `refuse`. It may be returned or thrown. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly details: RefusalDetails;

  /** @internal */
  constructor(message: string, details: RefusalDetails) {
    super(message);
    this.details = details;
  }
}

/**
 * Says no, in words that the person who asked may read:
 *
 *   onPublish: ({ data }) => (rude(data) ? refuse('Please be kind.', { reason: 'rude' }) : undefined)
 */
export function refuse(message: string, details: RefusalDetails = {}): Refusal {
  return new Refusal(message, details);
}
