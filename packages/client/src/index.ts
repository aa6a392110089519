export { systemClock } from './clock';
export { RAW_PROTOCOL } from './dial';
export { safely } from './emitter';
export { browserNetwork } from './network';
export type { Channel, Pattern, PresenceOf } from './realtime/channel';
export { type Client, createClient } from './realtime/client';
export { AnywireError } from './realtime/error';
export type {
  ChannelEvents,
  ChannelOptions,
  ClientEvents,
  ClientOptions,
  ClientSnapshot,
  Gap,
  History,
  HistoryOptions,
  HistoryPage,
  Member,
  Message,
  OutboxOptions,
  Position,
  PresenceEvents,
  PresenceSnapshot,
  Published,
  PublishOptions,
  Subscribed,
  SubscribeOptions,
  TokenAnswer,
  TokenRequest,
  TransportMemory,
} from './realtime/types';
export { websocket } from './realtime/websocket';
export type {
  Codec,
  Piece,
  Transport,
  TransportSetup,
  Wire,
  WireEvents,
  WireMessage,
} from './realtime/wire';
export { type Lease, leaseSocket, privateSocket } from './registry';
export { createSocket, Socket } from './socket';
export { frameScheduler, MessageStore, type Scheduler, type StoreOptions } from './store';
export type {
  Awaitable,
  BackoffOptions,
  Clock,
  CloseInfo,
  Data,
  Drop,
  DropReason,
  ErrorCode,
  HeartbeatOptions,
  NetworkAdapter,
  NetworkEvent,
  QueueOptions,
  Sendable,
  SendResult,
  Snapshot,
  SocketError,
  SocketEvents,
  SocketOptions,
  State,
  TokenContext,
  Unsubscribe,
  WebSocketConstructor,
  WebSocketLike,
} from './types';
export { resolveUrl } from './url';
