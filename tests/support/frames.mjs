// RFC 6455 section 5 on the wire. The writer can say anything, lies included; the reader accepts
// only what a server may send (unmasked, shortest length form, control frames whole and short).
import assert from 'node:assert/strict';

export const kContinuation = 0x0;
export const kText = 0x1;
export const kBinary = 0x2;
export const kClose = 0x8;
export const kPing = 0x9;
export const kPong = 0xa;

const kMask = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

function lengthField(length, form, maskBit) {
  const chosen = form ?? (length < 126 ? 7 : length < 65536 ? 16 : 64);
  if (chosen === 7) return Buffer.from([maskBit | Number(length)]);
  if (chosen === 16) {
    const field = Buffer.from([maskBit | 126, 0, 0]);
    field.writeUInt16BE(Number(length), 1);
    return field;
  }
  const field = Buffer.alloc(9);
  field[0] = maskBit | 127;
  field.writeBigUInt64BE(BigInt(length), 1);
  return field;
}

/**
 * One frame as a client sends it. `rsv` is three bits (4 = RSV1); `mask` is false or four bytes;
 * `form` forces a 7, 16 or 64 bit length; `claim` lies about the length.
 */
export function frame(opcode, payload = '', options = {}) {
  const { fin = true, rsv = 0, mask = kMask, form, claim } = options;
  const body = Buffer.from(payload);
  const first = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  const length = lengthField(claim ?? body.length, form, mask ? 0x80 : 0);
  if (!mask) return Buffer.concat([Buffer.from([first]), length, body]);
  for (let i = 0; i < body.length; i++) body[i] ^= mask[i & 3];
  return Buffer.concat([Buffer.from([first]), length, mask, body]);
}

export const text = (payload, options) => frame(kText, payload, options);
export const binary = (payload, options) => frame(kBinary, payload, options);
export const more = (payload, options) => frame(kContinuation, payload, options);
export const ping = (payload, options) => frame(kPing, payload, options);
export const pong = (payload, options) => frame(kPong, payload, options);

export function closeBody(code, reason = '') {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(code);
  return Buffer.concat([head, Buffer.from(reason)]);
}

export const close = (code, reason, options) =>
  frame(kClose, code === undefined ? '' : closeBody(code, reason), options);

/** A message cut into frames of the given payload sizes (the last takes what is left). */
export function fragments(opcode, payload, sizes, options = {}) {
  const body = Buffer.from(payload);
  const out = [];
  let at = 0;
  for (let i = 0; i <= sizes.length; i++) {
    const last = i === sizes.length;
    const part = body.subarray(at, last ? body.length : at + sizes[i]);
    at += part.length;
    out.push(frame(i ? kContinuation : opcode, part, { fin: last, rsv: i ? 0 : options.rsv ?? 0 }));
  }
  return out;
}

/** Strict incremental parser of what a server sends. */
export class FrameReader {
  #chunks = [];
  #size = 0;

  push(chunk) {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
  }

  get pendingBytes() {
    return this.#size;
  }

  #front(bytes) {
    if (this.#size < bytes) return undefined;
    if (this.#chunks[0].length < bytes) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0];
  }

  #take(bytes) {
    const front = this.#front(bytes);
    const taken = front.subarray(0, bytes);
    if (front.length === bytes) this.#chunks.shift();
    else this.#chunks[0] = front.subarray(bytes);
    this.#size -= bytes;
    return taken;
  }

  /** The next whole frame, or undefined; throws when the server breaks a rule of section 5. */
  next() {
    let front = this.#front(2);
    if (!front) return undefined;
    assert.equal(front[1] & 0x80, 0, 'a server must not mask (5.1)');
    const short = front[1] & 0x7f;
    const headBytes = short === 126 ? 4 : short === 127 ? 10 : 2;
    front = this.#front(headBytes);
    if (!front) return undefined;
    let length = short;
    if (short === 126) {
      length = front.readUInt16BE(2);
      assert.ok(length > 125, 'the shortest length form must be used (5.2)');
    } else if (short === 127) {
      length = Number(front.readBigUInt64BE(2));
      assert.ok(length > 65535, 'the shortest length form must be used (5.2)');
    }
    if (this.#size < headBytes + length) return undefined;
    const first = front[0];
    this.#take(headBytes);
    const payload = length ? this.#take(length) : Buffer.alloc(0);
    const opcode = first & 0x0f;
    const fin = (first & 0x80) !== 0;
    const rsv = (first >> 4) & 7;
    assert.ok([0, 1, 2, 8, 9, 10].includes(opcode), `opcode ${opcode} is reserved`);
    assert.equal(rsv & 3, 0, 'RSV2 and RSV3 are never negotiated');
    if (opcode >= 8) {
      assert.ok(fin && length <= 125 && rsv === 0, 'control frames are whole and short (5.5)');
    }
    return { fin, rsv, opcode, payload };
  }
}
