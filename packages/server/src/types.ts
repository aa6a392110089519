import type { ApiError } from './error';
import type { Capability } from './token/claims';

/** Where a message stands in its channel: docs/protocol.md section 4. */
export interface Published {
  readonly epoch: string;
  readonly offset: number;
  /** A publication with this idempotency key was there already; this is where. */
  readonly duplicate: boolean;
}

/** What became of one of several publications. */
export type PublishResult =
  | (Published & { readonly error?: undefined })
  | { readonly error: ApiError; readonly offset?: undefined };

/** What may go with each call. */
export interface CallOptions {
  /** Gives the call up; whether it was carried out is then unknown. */
  readonly signal?: AbortSignal | undefined;
}

/** What goes with a publication. */
export interface PublishOptions<Name extends string = string> extends CallOptions {
  /** What kind of message it is; receivers may listen for it. */
  readonly event?: Name | undefined;
  /** The message's own id, for receivers. Default: none. */
  readonly messageId?: string | undefined;
  /** What `filter` of a subscription looks at. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** Where the channel's rule says so, of waiting messages with one key only the newest is sent. */
  readonly conflationKey?: string | undefined;
  /**
   * The same key is never published twice. Made here unless given, so that a call that is sent again
   * because no answer came does no harm; give one of your own, such as the id of a form, to be safe
   * from being called twice.
   */
  readonly idempotencyKey?: string | undefined;
}

/** A message as history has it. `data` is JSON's, a string (`text`), or bytes. */
export interface StoredMessage<T = unknown> {
  readonly offset: number;
  /** When the server took it, Unix milliseconds. */
  readonly time: number;
  readonly data: T;
  readonly event?: string;
  readonly id?: string;
  readonly client?: string;
  readonly user?: string;
  readonly tags?: Readonly<Record<string, string>>;
}

/** Which part of a channel's history. */
export interface HistoryOptions extends CallOptions {
  /** At most so many messages, 1 to 1000. Default 100. */
  readonly limit?: number | undefined;
  /** Default `backward`: the newest first. */
  readonly order?: 'forward' | 'backward' | undefined;
  /** Offsets: only messages behind `after`, or before `before`. */
  readonly after?: number | undefined;
  readonly before?: number | undefined;
  /** Unix milliseconds: only messages from `from` on, up to `to`. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Refuse with `epoch_changed` where the stream is not this one any more. */
  readonly epoch?: string | undefined;
}

/** One page of a channel's history. */
export interface HistoryPage<T = unknown> {
  readonly channel: string;
  readonly epoch: string;
  /** Offset of the newest message there is. */
  readonly top: number;
  /** Offset of the oldest that is kept. */
  readonly oldest: number;
  readonly more: boolean;
  readonly messages: readonly StoredMessage<T>[];
}

/** One who is present. */
export interface PresentMember<I = unknown> {
  readonly client: string;
  readonly user?: string;
  readonly info?: I;
}

/** A page of a channel's members, in the order of their client ids. */
export interface PresencePage<I = unknown> {
  readonly channel: string;
  readonly count: number;
  readonly users: number;
  readonly more: boolean;
  readonly members: readonly PresentMember<I>[];
}

/** How many are in a channel. */
export interface ChannelCounts {
  readonly channel: string;
  readonly subscribers: number;
  readonly count: number;
  readonly users: number;
}

/** A page of the channels there are. */
export interface ChannelsPage {
  readonly channels: readonly {
    readonly channel: string;
    readonly subscribers: number;
    readonly members: number;
  }[];
  readonly more: boolean;
}

/** One connection of a user. */
export interface Connection {
  readonly client: string;
  readonly user?: string;
  readonly address: string;
  /** Unix milliseconds. */
  readonly since: number;
  readonly protocol: string;
  readonly channels: readonly string[];
}

/** Whose connections a call is about: all of a user, or one. */
export type Whom =
  | { readonly user: string; readonly client?: undefined }
  | { readonly client: string; readonly user?: undefined };

/** Which tokens are not good any more; open connections that came by them are closed. */
export type Revocation =
  | { readonly token: string }
  | { readonly user: string; readonly issuedBefore?: number }
  | { readonly key: string }
  | { readonly all: true; readonly issuedBefore?: number };

/** For whom a ticket is, and what it allows: the claims of a token without its signature. */
export interface TicketOptions extends CallOptions {
  readonly user?: string | undefined;
  readonly info?: unknown;
  readonly capability?: Capability | undefined;
  readonly channels?: readonly string[] | undefined;
  /** Seconds it can be used in, 1 to 60. Default 30. */
  readonly expiresIn?: number | undefined;
}

/** What goes into an address as `?ticket=`, once. */
export interface Ticket {
  readonly ticket: string;
  /** Unix milliseconds. */
  readonly expires: number;
}
