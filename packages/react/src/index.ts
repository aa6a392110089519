'use client';

export type { Schema, SchemaIssue, SchemaOutput, SchemaResult } from './schema';
export type {
  Gap,
  MessageDrop,
  MessageError,
  WsActions,
  WsOptions,
  WsResult,
  WsSnapshot,
} from './types';
export { useWebSocket, type WsUrl } from './use-web-socket';
