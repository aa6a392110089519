'use client';

export type {
  SchemaIssue,
  SchemaOutput,
  SchemaResult,
  StandardSchema as Schema,
} from '@anywire/client/contract';
export { HistoryBoundary, type PreloadedHistory } from './boundary';
export type { Publish, UseChannelOptions, UseChannelResult } from './channel-view';
export type { ChannelStatus, ChannelTarget } from './feed';
export type { HistoryGap, HistoryState, UseHistoryOptions } from './history-view';
export type { OptimisticMessage, OptimisticState } from './optimistic-view';
export type { PresenceState } from './presence-view';
export { AnywireProvider, type AnywireProviderProps, useAnywire } from './provider';
export type {
  Gap,
  MessageDrop,
  MessageError,
  WsActions,
  WsOptions,
  WsResult,
  WsSnapshot,
} from './types';
export { useChannel } from './use-channel';
export { type EventOf, useChannelEvent } from './use-channel-event';
export { type ConnectionState, useConnectionState } from './use-connection-state';
export { useHistory } from './use-history';
export { type UseLatestOptions, useLatest } from './use-latest';
export { useOptimisticPublish } from './use-optimistic-publish';
export { type UsePresenceOptions, usePresence } from './use-presence';
export { type RpcCall, type RpcCallOptions, type RpcState, useRpc } from './use-rpc';
export { useWebSocket, type WsUrl } from './use-web-socket';
