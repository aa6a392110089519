import type { Codec, WireMessage } from './wire';

/** The server takes 64; a frame of several messages is one level more. */
const depthMax = 63;

/** JSON, with bytes as base64 in `binary`. */
export const json: Codec = {
  protocol: 'anywire.v1.json',
  encode(message) {
    const { binary } = message;
    return sound(
      JSON.stringify(
        binary instanceof Uint8Array ? { ...message, binary: toBase64(binary) } : message,
      ),
    );
  },
  join: (pieces) => (pieces.length === 1 ? (pieces[0] as string) : `[${pieces.join()}]`),
  decode(frame) {
    if (typeof frame !== 'string') throw new TypeError('binary');
    return messages(JSON.parse(frame));
  },
};

/** The messages of a decoded frame; what is no message is left out. */
export function messages(value: unknown): readonly WireMessage[] {
  return [value as WireMessage].flat().filter((item) => typeof item?.type === 'string');
}

/**
 * The server ends the connection of who sends half a surrogate pair, as text that was cut within an
 * emoji has, or nests too deeply, and the client with it; so that is refused here.
 */
function sound(text: string): string {
  let depth = 0;
  let quoted = false;
  for (const [mark, half] of text.matchAll(/\\(?:(ud[89a-f])|.)|["[\]{}]/g)) {
    if (half) throw new TypeError('half a surrogate pair');
    if (mark === '"') quoted = !quoted;
    else if (!quoted) depth += /[[{]/.test(mark) ? 1 : -1;
    if (depth > depthMax) throw new TypeError('nested too deeply');
  }
  return text;
}

function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** Bytes of a `binary` member: MessagePack has them, JSON spells them. */
export function toBytes(binary: unknown): Uint8Array {
  if (binary instanceof Uint8Array) return binary;
  return Uint8Array.from(atob(String(binary)), (char) => char.charCodeAt(0));
}
