import type { Codec, WireMessage } from './wire';

/** JSON, with bytes as base64 in `binary`. */
export const json: Codec = {
  protocol: 'anywire.v1.json',
  encode(message) {
    const { binary } = message;
    return JSON.stringify(
      binary instanceof Uint8Array ? { ...message, binary: toBase64(binary) } : message,
    );
  },
  join: (pieces) => (pieces.length === 1 ? (pieces[0] as string) : `[${pieces.join()}]`),
  decode(frame) {
    if (typeof frame !== 'string') throw new TypeError('A binary frame is not JSON');
    return messages(JSON.parse(frame));
  },
};

/** The messages of a decoded frame; what is no message is left out. */
export function messages(value: unknown): readonly WireMessage[] {
  return (Array.isArray(value) ? value : [value]).filter(
    (item) => typeof item?.type === 'string',
  ) as WireMessage[];
}

function toBase64(bytes: Uint8Array): string {
  let text = '';
  // In slices, for a call takes only so many arguments.
  for (let i = 0; i < bytes.length; i += 8192) {
    text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  }
  return btoa(text);
}

/** Bytes of a `binary` member: MessagePack has them, JSON spells them. */
export function toBytes(binary: unknown): Uint8Array {
  if (binary instanceof Uint8Array) return binary;
  return Uint8Array.from(atob(String(binary)), (char) => char.charCodeAt(0));
}
