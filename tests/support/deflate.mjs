// permessage-deflate (RFC 7692 section 7.2) over node's zlib, with the context kept or dropped.
import zlib from 'node:zlib';

export const kTail = Buffer.from([0x00, 0x00, 0xff, 0xff]);

function step(stream, input, flushKind) {
  return new Promise((resolve, reject) => {
    const out = [];
    const onData = (chunk) => out.push(chunk);
    const finish = (error) => {
      stream.off('data', onData);
      stream.off('error', finish);
      if (error) reject(error);
      else resolve(Buffer.concat(out));
    };
    stream.on('data', onData);
    stream.on('error', finish);
    if (input.length) stream.write(input);
    stream.flush(flushKind, () => finish());
  });
}

/** Compresses messages; `takeover: false` starts afresh for each. */
export class Deflater {
  #options;
  #takeover;
  #stream;

  constructor({ windowBits = 15, takeover = true, ...options } = {}) {
    this.#options = { windowBits: Math.max(9, windowBits), ...options };
    this.#takeover = takeover;
  }

  /** The message's payload with the tail of 7.2.1 taken off; `whole` keeps it (inner fragments). */
  async message(data, { whole = false } = {}) {
    this.#stream ??= zlib.createDeflateRaw(this.#options);
    const out = await step(this.#stream, Buffer.from(data), zlib.constants.Z_SYNC_FLUSH);
    if (!whole && !this.#takeover) this.reset();
    if (whole) return out;
    // zlib writes nothing for an empty message: 7.2.3.6 gives the single octet for it.
    if (out.length === 0) return Buffer.from([0x00]);
    return out.subarray(0, out.length - 4);
  }

  reset() {
    this.#stream?.close();
    this.#stream = undefined;
  }
}

/** Decompresses messages. A small chunk size makes zlib check distances against the window. */
export class Inflater {
  #options;
  #takeover;
  #stream;

  constructor({ windowBits = 15, takeover = true, strict = false } = {}) {
    this.#options = { windowBits, chunkSize: strict ? 64 : 65536 };
    this.#takeover = takeover;
  }

  async message(payload) {
    this.#stream ??= zlib.createInflateRaw(this.#options);
    const input = Buffer.concat([payload, kTail]);
    const out = await step(this.#stream, input, zlib.constants.Z_SYNC_FLUSH);
    if (!this.#takeover) this.reset();
    return out;
  }

  reset() {
    this.#stream?.close();
    this.#stream = undefined;
  }
}

