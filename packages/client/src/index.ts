export { systemClock } from './clock';
export { RAW_PROTOCOL } from './dial';
export { safely } from './emitter';
export { browserNetwork } from './network';
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
