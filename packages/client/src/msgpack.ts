import type { Codec, WireMessage } from './realtime/wire';

/**
 * MessagePack (the specification of 2013, with bin and str apart) for values as JSON has them, plus
 * bytes and 64-bit integers. Numbers are numbers; integers beyond 2^53 come as bigint. Where JSON
 * and MessagePack could differ this follows JSON: `toJSON` is honoured, members that are undefined
 * are left out, so what an application sends does not depend on the codec.
 */

/** As deep as a server may nest what it sends, with room for its own envelope. */
const depthMax = 80;
/** The server takes 64; a frame of several messages is one level more. */
const sendDepthMax = 62;

/** What an extension type carries that means nothing here; -1, a timestamp, becomes a Date. */
export interface Extension {
  readonly type: number;
  readonly data: Uint8Array<ArrayBuffer>;
}

/** The codec for `createClient({ codec: msgpack() })`. */
export function msgpack(): Codec {
  return {
    protocol: 'anywire.v1.msgpack',
    encode: (message) => encode(message),
    join(pieces) {
      const parts = pieces as readonly Uint8Array<ArrayBuffer>[];
      const [only] = parts;
      if (only && parts.length === 1) return only;
      const writer = new Writer();
      writer.head(parts.length, 0x90, 15, 0, 0xdc);
      for (const part of parts) writer.bytes(part);
      return writer.result();
    },
    decode(frame) {
      if (typeof frame === 'string') throw new TypeError('A text frame is not MessagePack');
      const value = decode(frame);
      return (Array.isArray(value) ? value : [value]).filter(
        (item) => typeof item?.type === 'string',
      ) as WireMessage[];
    },
    translate: (pieces, other, answer) =>
      pieces.flatMap((piece) => {
        const message = decode(piece as Uint8Array<ArrayBuffer>) as WireMessage;
        try {
          return other.encode(message);
        } catch (error) {
          const { id } = message;
          answer({
            type: 'error',
            id,
            code: 'bad_data',
            message: `Not in ${other.protocol}: ${error}`,
          } as WireMessage);
          return [];
        }
      }),
  };
}

/** Throws a TypeError for functions, symbols and cycles. */
export function encode(value: unknown): Uint8Array<ArrayBuffer> {
  const writer = new Writer();
  writer.value(value, 0);
  return writer.result();
}

/** Throws a RangeError or TypeError for anything but exactly one whole value. */
export function decode(data: ArrayBuffer | Uint8Array<ArrayBuffer>): unknown {
  const reader = new Reader(data instanceof Uint8Array ? data : new Uint8Array(data));
  const value = reader.value(0);
  if (reader.left > 0) throw new RangeError(`${reader.left} bytes behind the value`);
  return value;
}

class Writer {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  result(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#at);
  }

  bytes(bytes: Uint8Array): void {
    const at = this.#take(bytes.length);
    this.#bytes.set(bytes, at);
  }

  value(value: unknown, depth: number): void {
    if (depth > sendDepthMax) throw new TypeError('Nested too deeply, or a cycle');
    if (value === null || value === undefined) this.#byte(0xc0);
    else if (typeof value === 'boolean') this.#byte(value ? 0xc3 : 0xc2);
    else if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'bigint') this.#bigint(value);
    else if (typeof value === 'string') this.#text(value);
    else if (typeof value === 'object') this.#object(value, depth);
    else throw new TypeError(`A ${typeof value} cannot be encoded`);
  }

  /** Kind and length: within the kind's own byte, or in 8 (where there is such), 16 or 32 bits. */
  head(length: number, fix: number, fixMax: number, byte8: number, byte16: number): void {
    if (length <= fixMax) {
      this.#byte(fix | length);
    } else if (byte8 > 0 && length < 0x100) {
      this.#byte(byte8);
      this.#byte(length);
    } else if (length < 0x10000) {
      const at = this.#take(3);
      this.#view.setUint8(at, byte16);
      this.#view.setUint16(at + 1, length);
    } else {
      const at = this.#take(5);
      this.#view.setUint8(at, byte16 + 1);
      this.#view.setUint32(at + 1, length);
    }
  }

  #object(value: object, depth: number): void {
    const { toJSON } = value as { toJSON?: unknown };
    if (typeof toJSON === 'function') {
      this.value(toJSON.call(value), depth + 1);
    } else if (Array.isArray(value)) {
      this.head(value.length, 0x90, 15, 0, 0xdc);
      for (const item of value) this.value(item, depth + 1);
    } else if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
      const bytes =
        value instanceof ArrayBuffer
          ? new Uint8Array(value)
          : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
      this.head(bytes.length, 0, -1, 0xc4, 0xc5);
      this.bytes(bytes);
    } else {
      const entries = Object.entries(value).filter(([, item]) => item !== undefined);
      this.head(entries.length, 0x80, 15, 0, 0xde);
      for (const [key, item] of entries) {
        this.#text(key);
        this.value(item, depth + 1);
      }
    }
  }

  #number(value: number): void {
    if (!Number.isSafeInteger(value)) {
      const at = this.#take(9);
      this.#view.setUint8(at, 0xcb);
      this.#view.setFloat64(at + 1, value);
    } else if (value >= -32 && value < 128) {
      this.#byte(value & 0xff);
    } else if (value < -0x80000000 || value > 0xffffffff) {
      this.#bigint(BigInt(value));
    } else {
      const size = value < 0 ? sizeOf(-value - 1, 0x80, 0x8000) : sizeOf(value, 0x100, 0x10000);
      const at = this.#take(1 + (1 << size));
      this.#view.setUint8(at, (value < 0 ? 0xd0 : 0xcc) + size);
      // The low bits of a negative number are its two's complement.
      if (size === 0) this.#view.setUint8(at + 1, value);
      else if (size === 1) this.#view.setUint16(at + 1, value);
      else this.#view.setUint32(at + 1, value);
    }
  }

  #bigint(value: bigint): void {
    if (value < -(2n ** 63n) || value >= 2n ** 64n) {
      throw new TypeError(`${value} has more than 64 bits`);
    }
    const at = this.#take(9);
    this.#view.setUint8(at, value < 0n ? 0xd3 : 0xcf);
    this.#view.setBigUint64(at + 1, BigInt.asUintN(64, value));
  }

  #text(text: string): void {
    // It would become another sign on the way, and a channel another channel.
    if (/[\ud800-\udfff]/u.test(text)) throw new TypeError('Half a surrogate pair');
    const bytes = encoder().encode(text);
    this.head(bytes.length, 0xa0, 31, 0xd9, 0xda);
    this.bytes(bytes);
  }

  #byte(byte: number): void {
    const at = this.#take(1);
    this.#bytes[at] = byte;
  }

  /** Makes room and returns where it begins. */
  #take(size: number): number {
    const at = this.#at;
    this.#at += size;
    if (this.#at > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#at, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }
}

function sizeOf(magnitude: number, one: number, two: number): 0 | 1 | 2 {
  return magnitude < one ? 0 : magnitude < two ? 1 : 2;
}

class Reader {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  value(depth: number): unknown {
    if (depth > depthMax) throw new RangeError('Nested too deeply');
    const byte = this.#uint(1);
    if (byte < 0x80) return byte;
    if (byte >= 0xe0) return byte - 0x100;
    if (byte < 0x90) return this.#map(byte & 15, depth);
    if (byte < 0xa0) return this.#array(byte & 15, depth);
    if (byte < 0xc0) return this.#text(byte & 31);
    return this.#long(byte, depth);
  }

  #long(byte: number, depth: number): unknown {
    switch (byte) {
      case 0xc0:
        return null;
      case 0xc2:
      case 0xc3:
        return byte === 0xc3;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#take(this.#uint(1 << (byte - 0xc4)));
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return this.#extension(this.#uint(1 << (byte - 0xc7)));
      case 0xca:
        return this.#view.getFloat32(this.#skip(4));
      case 0xcb:
        return this.#view.getFloat64(this.#skip(8));
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#uint(1 << (byte - 0xcc));
      case 0xcf:
        return small(this.#view.getBigUint64(this.#skip(8)));
      case 0xd0:
        return this.#view.getInt8(this.#skip(1));
      case 0xd1:
        return this.#view.getInt16(this.#skip(2));
      case 0xd2:
        return this.#view.getInt32(this.#skip(4));
      case 0xd3:
        return small(this.#view.getBigInt64(this.#skip(8)));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#text(this.#uint(1 << (byte - 0xd9)));
      case 0xdc:
      case 0xdd:
        return this.#array(this.#uint(2 << (byte - 0xdc)), depth);
      case 0xde:
      case 0xdf:
        return this.#map(this.#uint(2 << (byte - 0xde)), depth);
      case 0xc1:
        throw new TypeError('0xc1 is no MessagePack');
      default:
        return this.#extension(1 << (byte - 0xd4));
    }
  }

  #array(length: number, depth: number): unknown[] {
    const list: unknown[] = [];
    // Not made for the length claimed: each item has to be there first.
    for (let i = 0; i < length; i++) list.push(this.value(depth + 1));
    return list;
  }

  #map(length: number, depth: number): Record<string, unknown> {
    const map: Record<string, unknown> = {};
    for (let i = 0; i < length; i++) {
      const key = String(this.value(depth + 1));
      const value = this.value(depth + 1);
      // Assigning it would set the prototype; JSON.parse makes it a member, and so do we.
      if (key === '__proto__') Object.defineProperty(map, key, { ...own, value });
      else map[key] = value;
    }
    return map;
  }

  #text(length: number): string {
    const at = this.#skip(length);
    return decoder().decode(this.#bytes.subarray(at, at + length));
  }

  #extension(length: number): Date | Extension {
    const type = this.#view.getInt8(this.#skip(1));
    const data = this.#take(length);
    if (type !== -1) return { type, data };
    const view = new DataView(data.buffer);
    if (length === 4) return new Date(view.getUint32(0) * 1000);
    if (length === 8) {
      const seconds = (view.getUint32(0) & 3) * 2 ** 32 + view.getUint32(4);
      return new Date(seconds * 1000 + (view.getUint32(0) >>> 2) / 1e6);
    }
    return new Date(Number(view.getBigInt64(4)) * 1000 + view.getUint32(0) / 1e6);
  }

  #take(length: number): Uint8Array<ArrayBuffer> {
    const at = this.#skip(length);
    return this.#bytes.slice(at, at + length);
  }

  #uint(size: number): number {
    const at = this.#skip(size);
    if (size === 1) return this.#view.getUint8(at);
    return size === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  #skip(size: number): number {
    const at = this.#at;
    if (size > this.left) throw new RangeError('The value is cut short');
    this.#at += size;
    return at;
  }
}

const own = { writable: true, enumerable: true, configurable: true } as const;

function small(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

// Made when first needed, so that importing this touches nothing.
let texts: { readonly encoder: TextEncoder; readonly decoder: TextDecoder } | undefined;
function tools(): NonNullable<typeof texts> {
  texts ??= {
    encoder: new TextEncoder(),
    decoder: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }),
  };
  return texts;
}
const encoder = () => tools().encoder;
const decoder = () => tools().decoder;
