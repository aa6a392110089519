import type { ChannelRef, RpcRef } from '@anywire/client';
import type { AnyContract } from '@anywire/client/contract';
import { type Refusal, refusal } from './refusal';
import type { Draft } from './stream';

/**
 * What a contract says of names and values, as refusals of a server that enforces it. Without a
 * contract everything is right.
 */
export class Enforcer {
  readonly #contract: AnyContract | undefined;

  constructor(contract: AnyContract | undefined) {
    this.#contract = contract;
  }

  /** A channel that the contract does not have is most likely a misspelt one. */
  channel(name: string): Refusal | undefined {
    if (!this.#contract || name.startsWith('$') || this.#contract.find(name)) return undefined;
    return refusal('unknown_channel', `"${name}" is no channel of the contract`);
  }

  message(name: string, draft: Draft): Refusal | undefined {
    return this.#checked(name, (ref) => ref.check?.publish(payloadOf(draft), draft.event));
  }

  /** Info that a member does not have is not looked at. */
  info(name: string, info: unknown): Refusal | undefined {
    if (info === undefined) return this.channel(name);
    return this.#checked(name, (ref) => ref.check?.presence(info));
  }

  /** The method of the contract, for its checks. */
  rpc(method: string): RpcRef | undefined {
    return this.#contract?.findRpc(method);
  }

  #checked(name: string, check: (ref: ChannelRef) => unknown): Refusal | undefined {
    const unknown = this.channel(name);
    const ref = this.#contract?.find(name);
    if (unknown || !ref) return unknown;
    try {
      check(ref);
      return undefined;
    } catch (error) {
      return refusal('schema', (error as Error).message);
    }
  }
}

/** A payload as applications see it. */
export function payloadOf({ data, text, binary }: Draft): unknown {
  if (text !== undefined) return text;
  return binary === undefined ? data : toBytes(binary);
}

/** As the client says values: text and bytes are forms of their own. */
export function draftOf(value: unknown): Draft {
  if (typeof value === 'string') return { text: value };
  if (value instanceof ArrayBuffer) return { binary: toBase64(new Uint8Array(value)) };
  if (ArrayBuffer.isView(value)) {
    return { binary: toBase64(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)) };
  }
  // As text and back: what the caller changes afterwards is not published.
  return { data: JSON.parse(JSON.stringify(value ?? null)) };
}

function toBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}

function toBytes(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}
