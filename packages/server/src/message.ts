import type { ChannelRef } from '@anywire/client';
import type { Channel, Publication } from './api';
import { ApiError } from './error';
import type { StoredMessage } from './types';

/** A message as the API has it: one of `data`, `text` and `binary`. */
export interface WireMessage extends Omit<StoredMessage, 'data'> {
  readonly data?: unknown;
  readonly text?: string;
  /** Base64. */
  readonly binary?: string;
}

/** What `/publish` takes. */
export interface WirePublication {
  readonly channel?: string;
  readonly user?: string;
  readonly idempotencyKey: string;
  readonly [member: string]: unknown;
}

/** A publication as the API takes it. As of clients, a string goes as `text` and bytes as `binary`. */
export function toMessage(publication: Publication): WirePublication {
  const { channel, user, data, idempotencyKey = crypto.randomUUID(), ...rest } = publication;
  const [name, check] = channel === undefined ? [] : nameOf(channel);
  return {
    ...rest,
    ...(name !== undefined && { channel: name }),
    ...(user !== undefined && { user }),
    ...toPayload(check ? check.publish(data, rest.event) : data),
    idempotencyKey,
  };
}

/** A channel's name, and what its contract checks. Throws where the contract has no such channel. */
export function nameOf(channel: Channel): [name: string, check: ChannelRef['check']] {
  if (typeof channel === 'string') return [channel, undefined];
  channel.check?.known?.();
  return [channel.name, channel.check];
}

export function toPayload(data: unknown): Readonly<Record<string, unknown>> {
  if (typeof data === 'string') return { text: data };
  if (data instanceof ArrayBuffer) return { binary: toBase64(new Uint8Array(data)) };
  if (data instanceof Uint8Array) return { binary: toBase64(data) };
  if (data === undefined || typeof data === 'function' || typeof data === 'symbol') {
    throw new ApiError('bad_data', `"data" is ${typeof data}, which JSON does not have`, 0);
  }
  return { data };
}

/** A message of history, or none where the contract's schema refuses it. */
export function fromWire(message: WireMessage, check: ChannelRef['check']): StoredMessage[] {
  const { text, binary, data: json, ...rest } = message;
  const data = binary !== undefined ? fromBase64(binary) : (text ?? json);
  if (!check) return [{ ...rest, data }];
  try {
    return [{ ...rest, data: check.message(data, rest.event) }];
  } catch {
    return [];
  }
}

function toBase64(bytes: Uint8Array): string {
  let text = '';
  // As arguments of one call, so not too many at once.
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return btoa(text);
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
}
