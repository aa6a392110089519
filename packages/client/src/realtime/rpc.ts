import type { Client } from './api';
import type { Core } from './client';
import { reading } from './error';
import type { RpcRef } from './types';

/** How long to wait for the answer of a method. */
export interface RpcOptions {
  /** Give up after so many ms, waiting for a connection included. Default 120 000. */
  readonly timeout?: number;
  /** Gives up; it may have been carried out nevertheless. */
  readonly signal?: AbortSignal;
}

/** Calls a method of the application behind the server. Not repeated after a lost connection. */
export function rpc<R = unknown>(
  client: Client,
  method: string,
  data?: unknown,
  options?: RpcOptions,
): Promise<R>;
export function rpc<In, Out>(
  client: Client,
  method: RpcRef<In, Out>,
  data: In,
  options?: RpcOptions,
): Promise<Out>;
export async function rpc(
  client: Client,
  method: string | RpcRef,
  data?: unknown,
  options?: RpcOptions,
): Promise<unknown> {
  const { name, check } = typeof method === 'string' ? { name: method } : method;
  const input = check ? check.input(data) : data;
  const message = { type: 'rpc', method: name, data: input };
  const reply = await (client as Core).ask(message, { ...options });
  const { data: output, text, json } = reply;
  // MessagePack cannot say every number that JSON can; such a value comes as its JSON text.
  const result = json ? reading(undefined, () => JSON.parse(String(text))) : output;
  return check ? check.output(result) : result;
}
