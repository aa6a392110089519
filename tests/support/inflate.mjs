// A plain, slow RFC 1951 decoder: the judge for what a deflate payload means. zlib says yes to
// data that stops inside a block; this one says where the data stopped.

const kLengthBase = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83,
  99, 115, 131, 163, 195, 227, 258];
const kLengthExtra = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5,
  5, 5, 0];
const kDistanceBase = [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769,
  1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577];
const kCodeOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

class Short extends Error {}
class Bad extends Error {}

class Bits {
  at = 0;
  constructor(bytes) {
    this.bytes = bytes;
  }
  take(count) {
    let value = 0;
    for (let i = 0; i < count; i++) {
      const byte = this.bytes[this.at >> 3];
      if (byte === undefined) throw new Short();
      value |= ((byte >> (this.at & 7)) & 1) << i;
      this.at++;
    }
    return value;
  }
  align() {
    this.at = (this.at + 7) & ~7;
  }
}

function table(lengths) {
  const counts = new Array(16).fill(0);
  for (const length of lengths) counts[length]++;
  counts[0] = 0;
  const next = [0];
  for (let bits = 1, code = 0; bits < 16; bits++) {
    code = (code + counts[bits - 1]) << 1;
    next[bits] = code;
  }
  const codes = new Map();
  lengths.forEach((length, symbol) => {
    if (length) codes.set((length << 16) | next[length]++, symbol);
  });
  return codes;
}

function symbol(bits, codes) {
  let code = 0;
  for (let length = 1; length < 16; length++) {
    code = (code << 1) | bits.take(1);
    const found = codes.get((length << 16) | code);
    if (found !== undefined) return found;
  }
  throw new Bad('no such code');
}

function fixedTables() {
  const lengths = Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8));
  return [table(lengths), table(new Array(30).fill(5))];
}

function dynamicTables(bits) {
  const literals = bits.take(5) + 257;
  const distances = bits.take(5) + 1;
  const codes = bits.take(4) + 4;
  const order = new Array(19).fill(0);
  for (let i = 0; i < codes; i++) order[kCodeOrder[i]] = bits.take(3);
  const codeTable = table(order);
  const lengths = [];
  while (lengths.length < literals + distances) {
    const code = symbol(bits, codeTable);
    if (code < 16) {
      lengths.push(code);
      continue;
    }
    if (code === 16 && !lengths.length) throw new Bad('nothing to repeat');
    const value = code === 16 ? lengths.at(-1) : 0;
    const count = code === 16 ? 3 + bits.take(2) : code === 17 ? 3 + bits.take(3) : 11 + bits.take(7);
    for (let i = 0; i < count; i++) lengths.push(value);
  }
  return [table(lengths.slice(0, literals)), table(lengths.slice(literals, literals + distances))];
}

function compressedBlock(bits, [literals, distances], out, seen) {
  for (;;) {
    const code = symbol(bits, literals);
    if (code === 256) return;
    if (code < 256) {
      out.push(code);
      continue;
    }
    if (code > 285) throw new Bad('no such length');
    const length = kLengthBase[code - 257] + bits.take(kLengthExtra[code - 257]);
    const distanceCode = symbol(bits, distances);
    if (distanceCode > 29) throw new Bad('no such distance');
    const extra = distanceCode < 4 ? 0 : (distanceCode >> 1) - 1;
    const distance = kDistanceBase[distanceCode] + bits.take(extra);
    if (distance > out.length) throw new Bad('distance before the beginning');
    seen.distance = Math.max(seen.distance, distance);
    for (let i = 0; i < length; i++) out.push(out[out.length - distance]);
  }
}

/**
 * Decodes `bytes` (message payload and tail). `state` is 'whole' when the data end with the empty
 * block that the tail completes (RFC 7692 7.2.1), 'short' when they stop inside a block or a block
 * has swallowed the tail, 'bad' when they are no deflate data.
 */
export function inflate(bytes) {
  const bits = new Bits(bytes);
  const out = [];
  const seen = { distance: 0 };
  let state = 'whole';
  let lastEmpty = false;
  try {
    while (bits.at < bytes.length * 8) {
      bits.take(1);
      const kind = bits.take(2);
      lastEmpty = false;
      if (kind === 0) {
        bits.align();
        const length = bits.take(16);
        if ((bits.take(16) ^ length) !== 0xffff) throw new Bad('stored length');
        for (let i = 0; i < length; i++) out.push(bits.take(8));
        lastEmpty = length === 0;
      } else if (kind === 3) {
        throw new Bad('block type');
      } else {
        compressedBlock(bits, kind === 1 ? fixedTables() : dynamicTables(bits), out, seen);
      }
    }
  } catch (error) {
    if (error instanceof Short) state = 'short';
    else if (error instanceof Bad) state = 'bad';
    else throw error;
  }
  if (state === 'whole' && !lastEmpty) state = 'short';
  return { state, data: Buffer.from(out), distanceMax: seen.distance };
}
