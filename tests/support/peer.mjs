// A client of which every byte is ours: sends what it is told, reads strictly, never answers by
// itself. `Wire` is the socket, `Peer` a Wire after a successful handshake.
import assert from 'node:assert/strict';
import net from 'node:net';
import tls from 'node:tls';
import { Deflater, Inflater } from './deflate.mjs';
import { FrameReader, close, frame, kClose, kContinuation, kText } from './frames.mjs';
import { acceptFor, kKey, parseHead, upgradeRequest } from './http.mjs';
import { turn, within } from './poll.mjs';

const kDeadlineMs = 8000;

export class Wire {
  #received = [];
  #wake = () => {};
  ended = false;
  error = undefined;

  constructor(socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      this.#received.push(chunk);
      this.#wake();
    });
    const over = (error) => {
      this.ended = true;
      this.error ??= error;
      this.#wake();
    };
    socket.on('end', () => over());
    socket.on('error', over);
    socket.on('close', () => over());
  }

  /** Connects to a server of support/server.mjs; half-open, so that the server's FIN is visible. */
  static connect({ host, port, socketPath, secure, ...options }) {
    const target = socketPath ? { path: socketPath } : { host, port };
    return within('connect', new Promise((resolve, reject) => {
      const where = { ...target, allowHalfOpen: true, rejectUnauthorized: false, ...options };
      const socket = secure ? tls.connect(where) : net.connect(where);
      socket.once('error', reject);
      socket.once(secure ? 'secureConnect' : 'connect', () => {
        socket.off('error', reject);
        resolve(new Wire(socket));
      });
    }), kDeadlineMs);
  }

  /** Writes; resolves when the bytes are with the kernel. Errors show up when reading. */
  write(bytes) {
    return new Promise((resolve) => {
      if (this.socket.destroyed || !this.socket.writable) resolve(false);
      else this.socket.write(bytes, (error) => resolve(!error));
    });
  }

  /** Writes in pieces of `size` bytes, each in a write of its own. */
  async writeChopped(bytes, size) {
    for (let at = 0; at < bytes.length; at += size) {
      await this.write(bytes.subarray(at, at + size));
      await turn();
    }
  }

  /** The next bytes received, or undefined once the peer has finished. */
  async read(deadlineMs = kDeadlineMs) {
    if (!this.#received.length && !this.ended) {
      await within('more bytes', new Promise((resolve) => (this.#wake = resolve)), deadlineMs);
    }
    return this.#received.length ? this.#received.shift() : undefined;
  }

  unread(bytes) {
    if (bytes.length) this.#received.unshift(bytes);
  }

  /** One response, with its body by Content-Length or, failing that, up to the end. */
  async response({ method = 'GET' } = {}) {
    let bytes = Buffer.alloc(0);
    let end;
    while ((end = bytes.indexOf('\r\n\r\n')) < 0) {
      const more = await this.read();
      if (!more) return undefined;
      bytes = Buffer.concat([bytes, more]);
    }
    const head = parseHead(bytes.subarray(0, end));
    bytes = bytes.subarray(end + 4);
    const bodyless = method === 'HEAD' || head.status < 200 || [204, 304].includes(head.status);
    const length = head.headers.get('content-length');
    assert.equal(head.headers.get('transfer-encoding'), undefined, 'no chunked answers expected');
    if (length !== undefined) assert.match(length, /^\d+$/);
    const wanted = bodyless ? 0 : length === undefined ? Infinity : Number(length);
    while (bytes.length < wanted) {
      const more = await this.read();
      if (!more) {
        if (wanted !== Infinity) throw new Error('body shorter than its Content-Length');
        break;
      }
      bytes = Buffer.concat([bytes, more]);
    }
    const bodyBytes = Math.min(wanted, bytes.length);
    this.unread(bytes.subarray(bodyBytes));
    return { ...head, body: bytes.subarray(0, bodyBytes) };
  }

  /** Resolves when the server has closed its side without sending anything further. */
  async expectEnd(deadlineMs = kDeadlineMs) {
    const more = await this.read(deadlineMs);
    assert.equal(more, undefined, 'nothing may follow');
  }

  destroy() {
    this.socket.destroy();
  }

  /** Ends the connection with a TCP reset where the socket is ours to reset (not under TLS). */
  reset() {
    if (this.socket instanceof tls.TLSSocket) this.socket.destroy();
    else this.socket.resetAndDestroy();
  }
}

function parameters(header) {
  if (!header) return undefined;
  const [name, ...rest] = header.split(';').map((part) => part.trim());
  assert.equal(name, 'permessage-deflate', 'only what was offered may be agreed');
  return Object.fromEntries(rest.map((part) => {
    const [key, value] = part.split('=').map((side) => side.trim());
    return [key, value === undefined ? true : value.replace(/^"(.*)"$/, '$1')];
  }));
}

export class Peer {
  #reader = new FrameReader();

  constructor(wire, response) {
    this.wire = wire;
    this.response = response;
    this.deflate = parameters(response.headers.get('sec-websocket-extensions'));
    if (!this.deflate) return;
    const agreed = this.deflate;
    this.deflater = new Deflater({
      windowBits: Number(agreed.client_max_window_bits ?? 15),
      takeover: !agreed.client_no_context_takeover,
    });
    this.inflater = new Inflater({
      windowBits: Number(agreed.server_max_window_bits ?? 15),
      takeover: !agreed.server_no_context_takeover,
    });
  }

  /** Connects and upgrades; fails unless the answer is a correct 101. */
  static async open(server, path, { headers, extra, glued, protocol, extensions } = {}) {
    const wire = await Wire.connect(server.target);
    const all = { ...headers };
    if (protocol) all['Sec-WebSocket-Protocol'] = protocol;
    if (extensions) all['Sec-WebSocket-Extensions'] = extensions;
    const head = upgradeRequest(path, { headers: all, extra });
    await wire.write(glued ? Buffer.concat([head, glued]) : head);
    const response = await wire.response();
    assert.ok(response, 'an answer to the handshake');
    checkSwitching(response);
    return new Peer(wire, response);
  }

  send(...frames) {
    return this.wire.write(frames.length === 1 ? frames[0] : Buffer.concat(frames));
  }

  /** The next frame, or undefined when the server has closed its side. */
  async next(deadlineMs) {
    for (;;) {
      const found = this.#reader.next();
      if (found) return found;
      const bytes = await this.wire.read(deadlineMs);
      if (!bytes) {
        assert.equal(this.#reader.pendingBytes, 0, 'the stream ends between frames');
        return undefined;
      }
      this.#reader.push(bytes);
    }
  }

  /** The next data message, decompressed; control frames in between are an error. */
  async message(deadlineMs) {
    const first = await this.next(deadlineMs);
    assert.ok(first, 'a message, not the end');
    if (first.opcode === kClose) assert.fail(`a message, not ${describeClose(first)}`);
    assert.ok(first.opcode === 1 || first.opcode === 2, `opcode ${first.opcode} starts a message`);
    assert.ok(!first.rsv || this.deflate, 'RSV1 only when negotiated');
    const parts = [first.payload];
    for (let last = first; !last.fin; parts.push(last.payload)) {
      last = await this.next(deadlineMs);
      assert.ok(last && last.opcode === kContinuation && !last.rsv, 'a continuation');
    }
    let data = parts.length === 1 ? parts[0] : Buffer.concat(parts);
    const wireBytes = data.length;
    if (first.rsv) data = await this.inflater.message(data);
    return { kind: first.opcode === kText ? 'text' : 'binary', data, compressed: !!first.rsv, wireBytes };
  }

  async expectMessage(kind, data) {
    const got = await this.message();
    assert.equal(got.kind, kind);
    const want = Buffer.from(data);
    if (!got.data.equals(want)) {
      assert.fail(`echo differs: ${preview(got.data)} instead of ${preview(want)}`);
    }
    return got;
  }

  async expectFrame(opcode, payload) {
    const got = await this.next();
    assert.ok(got, `a frame, not the end (${this.wire.error?.code ?? 'FIN'})`);
    if (got.opcode === kClose && opcode !== kClose) assert.fail(`not ${describeClose(got)}`);
    assert.equal(got.opcode, opcode);
    if (payload !== undefined) assert.deepEqual(Buffer.from(got.payload), Buffer.from(payload));
    return got;
  }

  /** Expects Close with one of the codes (null: no code), answers, and expects the server's end. */
  async expectClose(codes, { answer = true, deadlineMs = kDeadlineMs } = {}) {
    const got = await this.next(deadlineMs);
    assert.ok(got, `Close ${codes}, not the end (${this.wire.error?.code ?? 'FIN'})`);
    assert.equal(got.opcode, kClose, `Close ${codes}, not a frame with opcode ${got.opcode}`);
    assert.notEqual(got.payload.length, 1, 'a Close body is empty or has two octets');
    const code = got.payload.length ? got.payload.readUInt16BE(0) : null;
    assert.ok([codes].flat().includes(code), `Close ${codes}, not ${describeClose(got)}`);
    new TextDecoder('utf-8', { fatal: true }).decode(got.payload.subarray(2));
    if (answer) await this.send(close(code ?? undefined));
    const end = await this.next(deadlineMs);
    assert.equal(end, undefined, 'nothing follows a Close');
    this.wire.destroy();
    return { code, reason: got.payload.subarray(2).toString() };
  }

  /** Closes in the orderly way and checks that the server does, too. */
  async finish() {
    await this.send(close(1000));
    await this.expectClose(1000, { answer: false });
  }

  /** Sends a message, compressed when that was agreed (unless `plain`). */
  async sendMessage(kind, data, { plain = false } = {}) {
    const opcode = kind === 'text' ? 1 : 2;
    if (!this.deflate || plain) return this.send(frame(opcode, data));
    return this.send(frame(opcode, await this.deflater.message(data), { rsv: 4 }));
  }

  destroy() {
    this.wire.destroy();
  }
}

const preview = (bytes) => `${bytes.length} bytes ${bytes.subarray(0, 24).toString('hex')}`;

function describeClose({ payload }) {
  if (payload.length < 2) return 'Close without a code';
  return `Close ${payload.readUInt16BE(0)} ${JSON.stringify(payload.subarray(2).toString())}`;
}

/** What RFC 6455 4.2.2 says of a 101, for the standard key unless another is given. */
export function checkSwitching({ status, headers, body }, key = kKey) {
  assert.equal(status, 101, `status ${status} ${body?.toString().slice(0, 200) ?? ''}`);
  assert.equal(headers.get('upgrade')?.toLowerCase(), 'websocket');
  assert.equal(headers.get('connection')?.toLowerCase(), 'upgrade');
  assert.equal(headers.get('sec-websocket-accept'), acceptFor(key));
  assert.equal(headers.get('content-length'), undefined, 'a 101 has no body (RFC 9110 8.6)');
}
