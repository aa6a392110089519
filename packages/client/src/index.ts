export { systemClock } from './clock';
export { RAW_PROTOCOL } from './dial';
export { safely } from './emitter';
export { browserNetwork } from './network';
export type { Channel, Client, Pattern, PresenceOf } from './realtime/api';
export { createClient } from './realtime/client';
export { AnywireError, type SchemaIssue } from './realtime/error';
export { type Handler, handle } from './realtime/handle';
export { history } from './realtime/history';
export { type Frame, type Inspector, type InspectorEvents, inspect } from './realtime/inspect';
export { pattern } from './realtime/pattern';
export { presence } from './realtime/presence';
export { type RpcOptions, rpc } from './realtime/rpc';
export type {
  ChannelCheck,
  ChannelEvents,
  ChannelOptions,
  ChannelRef,
  ClientEvents,
  ClientOptions,
  ClientSnapshot,
  EventInput,
  EventMessage,
  EventName,
  EventOutput,
  EventsOf,
  Gap,
  History,
  HistoryOptions,
  HistoryPage,
  InfoOf,
  InputOf,
  Member,
  Message,
  MessageBase,
  MessageOf,
  NoEvents,
  OutboxOptions,
  PlainMessage,
  Position,
  PresenceEvents,
  PresenceSnapshot,
  Publishable,
  Published,
  PublishOptions,
  Received,
  RpcCheck,
  RpcInput,
  RpcOutput,
  RpcRef,
  Subscribed,
  SubscribeOptions,
  TokenAnswer,
  TokenRequest,
  Transformed,
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
