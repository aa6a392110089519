// What a test can ask a native probe for. All of it is JSON, so it fits into a query.

export interface ProviderSpec {
  readonly url: string;
  readonly token?: string;
  readonly transports?: readonly ('websocket' | 'sse' | 'poll')[];
  readonly codec?: 'msgpack';
  readonly backoff?: { readonly min?: number; readonly max?: number };
  readonly queue?: { readonly max?: number; readonly overflow?: 'reject' | 'drop-oldest' };
  readonly linger?: number;
  readonly upgradeAfter?: number;
}

export type HookKind =
  | 'state'
  | 'channel'
  | 'event'
  | 'latest'
  | 'presence'
  | 'history'
  | 'optimistic'
  | 'rpc'
  | 'suspense';

export interface HookSpec {
  readonly id: string;
  readonly kind: HookKind;
  /** The name of a provider of this probe; without it, the provider above the probe. */
  readonly provider?: string;
  readonly channel?: string | null;
  readonly method?: string;
  /** By the contract: what it names is checked in the page, too. Else a name is just a name. */
  readonly checked?: boolean;
  /** For presence: given anew as an object literal with every render. */
  readonly me?: { readonly [key: string]: unknown };
  readonly limit?: number;
  readonly pageSize?: number;
  readonly rewind?: number;
  readonly own?: boolean;
  /** Draw the messages or members, as a page would. */
  readonly list?: boolean;
  /** Count messages and do not keep them, for floods. */
  readonly countOnly?: boolean;
  /** Published by the component's own effect, on mount: before any link can be open. */
  readonly hello?: readonly unknown[];
}

export interface ProbeSpec {
  readonly providers?: { readonly [name: string]: ProviderSpec };
  readonly hooks?: readonly HookSpec[];
}
