import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Socket as TcpSocket,
} from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type WebSocket as Peer, WebSocket, WebSocketServer } from 'ws';
import { type Data, RAW_PROTOCOL, Socket, type SocketOptions, type State } from '../src/index';

/**
 * The real thing: npm `ws` on both sides, real sockets, real time; everything is awaited, not
 * slept.
 */
let http: Server;
let server: WebSocketServer;
let port = 0;
const sockets: Socket[] = [];
const tcp = new Set<TcpSocket>();

async function listen(at = 0): Promise<void> {
  http = createServer();
  http.on('connection', (socket) => {
    tcp.add(socket);
    socket.on('close', () => tcp.delete(socket));
  });
  server = new WebSocketServer({
    server: http,
    handleProtocols: (offered) => (offered.has(RAW_PROTOCOL) ? RAW_PROTOCOL : false),
  });
  await new Promise<void>((resolve) => http.listen(at, '127.0.0.1', resolve));
  port = (http.address() as AddressInfo).port;
}

/** Ends it the hard way, as a killed process would. */
async function kill(): Promise<void> {
  for (const socket of tcp) socket.destroy();
  await new Promise((resolve) => http.close(resolve));
}

const peer = () => new Promise<Peer>((resolve) => server.once('connection', resolve));

function make(options: Partial<SocketOptions> = {}): Socket {
  const socket = new Socket({ url: `ws://127.0.0.1:${port}/`, WebSocket, ...options });
  sockets.push(socket);
  return socket;
}

function until(socket: Socket, state: State): Promise<void> {
  return new Promise((resolve) => {
    if (socket.state === state) resolve();
    const leave = socket.on('state', (now) => {
      if (now.state !== state) return;
      leave();
      resolve();
    });
  });
}

/** A socket that is open, and the server's end of it. */
async function connected(options?: Partial<SocketOptions>): Promise<{ socket: Socket; ws: Peer }> {
  const accepted = peer();
  const socket = make(options);
  socket.connect();
  const ws = await accepted;
  await until(socket, 'open');
  return { socket, ws };
}

const next = (socket: Socket) =>
  new Promise<Data>((resolve) => {
    const leave = socket.on('message', (data) => {
      leave();
      resolve(data);
    });
  });

beforeEach(() => listen());
afterEach(async () => {
  await Promise.all(sockets.splice(0).map((socket) => socket.close()));
  await kill();
});

describe('against a real server', () => {
  it('sends and receives text and binary', async () => {
    server.on('connection', (ws) => ws.on('message', (data, binary) => ws.send(data, { binary })));
    const { socket } = await connected();
    const text = next(socket);
    socket.send('héllo 😀');
    expect(await text).toBe('héllo 😀');
    const binary = next(socket);
    socket.send(new Uint8Array([1, 2, 3]));
    const got = await binary;
    expect(got).toBeInstanceOf(ArrayBuffer);
    expect([...new Uint8Array(got as ArrayBuffer)]).toEqual([1, 2, 3]);
  });

  it('delivers what was queued before the link, once and in order', async () => {
    const socket = make();
    for (let i = 0; i < 100; i++) socket.send(String(i));
    const accepted = peer();
    socket.connect();
    const ws = await accepted;
    const got: string[] = [];
    await new Promise<void>((resolve) => {
      ws.on('message', (data) => got.push(String(data)) === 100 && resolve());
    });
    expect(got).toEqual(Array.from({ length: 100 }, (_, i) => String(i)));
  });

  it('comes back within a second when the server is killed and restarted', async () => {
    const { socket } = await connected();
    const down = until(socket, 'waiting');
    const at = port;
    await kill();
    await down;
    const lost = performance.now();
    const tried = until(socket, 'connecting');
    await listen(at);
    await tried;
    expect(performance.now() - lost).toBeLessThan(1000);
    socket.send('sent while away');
    await until(socket, 'open');
    expect(socket.snapshot.opens).toBe(2);
  });

  it('tells a clean goodbye from a broken line', async () => {
    const { socket, ws: first } = await connected();
    const accepted = peer();
    first.close(1001, 'restart');
    const second = await accepted;
    expect(socket.snapshot.lastClose).toMatchObject({
      code: 1001,
      reason: 'restart',
      wasClean: true,
    });
    await until(socket, 'open');
    const waiting = until(socket, 'waiting');
    second.terminate();
    await waiting;
    expect(socket.snapshot.lastClose).toMatchObject({ code: 1006, wasClean: false });
  });

  it('stops at a fatal code', async () => {
    const accepted = peer();
    const socket = make();
    socket.connect();
    (await accepted).close(4401, 'token expired');
    await until(socket, 'failed');
    expect(socket.snapshot.error?.message).toBe('The server closed with 4401: token expired');
  });

  it('says goodbye with code and reason', async () => {
    const { socket, ws } = await connected();
    const closed = new Promise<string>((resolve) => {
      ws.on('close', (code, reason) => resolve(`${code} ${reason}`));
    });
    await socket.close(3001, 'done');
    expect(await closed).toBe('3001 done');
  });

  it('may be closed in the middle of a handshake', async () => {
    const socket = make();
    socket.connect();
    await socket.close();
    expect(socket.state).toBe('closed');
  });

  it('replaces a link without being disturbed by the end of the old one', async () => {
    const { socket, ws: old } = await connected();
    // The server is slow to say goodbye: it stops reading, so the old close comes late.
    old.pause();
    const second = peer();
    socket.reconnect();
    const ws = await second;
    await until(socket, 'open');
    const before = socket.snapshot;
    const ended = new Promise((resolve) => old.once('close', resolve));
    old.resume();
    await ended;
    const answer = next(socket);
    ws.send('new');
    expect(await answer).toBe('new');
    expect(socket.snapshot).toBe(before);
  });

  it('finds out that a server has gone silent', async () => {
    const { socket, ws } = await connected({ heartbeat: { interval: 40, timeout: 40 } });
    expect(socket.protocol).toBe(RAW_PROTOCOL);
    ws.pause();
    await until(socket, 'waiting');
    expect(socket.snapshot.error?.code).toBe('heartbeat');
  });

  it('stays up with a server that answers empty text with empty text', async () => {
    let asked = 0;
    const thrice = new Promise<void>((resolve) => {
      server.on('connection', (ws) =>
        ws.on('message', (data, binary) => {
          if (binary || String(data) !== '') return;
          ws.send('');
          if (++asked === 3) resolve();
        }),
      );
    });
    const socket = make({ heartbeat: { interval: 20, timeout: 2000 } });
    const seen: Data[] = [];
    socket.on('message', (data) => seen.push(data));
    socket.connect();
    await thrice;
    expect(socket.state).toBe('open');
    expect(seen).toEqual([]);
  });

  it('keeps trying a port where nobody listens', async () => {
    const at = port;
    await kill();
    const socket = make({ url: `ws://127.0.0.1:${at}/` });
    socket.connect();
    await until(socket, 'waiting');
    expect(socket.snapshot).toMatchObject({ attempt: 1, error: { code: 'network' } });
    await listen(at);
    await until(socket, 'open');
  });

  it('gives up on a server that never finishes the handshake', async () => {
    const silent = createTcpServer();
    const held = new Promise<TcpSocket>((resolve) => silent.once('connection', resolve));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const socket = make({
      url: `ws://127.0.0.1:${(silent.address() as AddressInfo).port}/`,
      connectTimeout: 50,
    });
    socket.connect();
    await until(socket, 'waiting');
    expect(socket.snapshot.error?.code).toBe('timeout');
    (await held).destroy();
    await socket.close();
    await new Promise((resolve) => silent.close(resolve));
  });

  it('takes 20,000 messages without losing or reordering one', async () => {
    const count = 20_000;
    const accepted = peer();
    const socket = make();
    let expected = 0;
    let wrong = 0;
    const all = new Promise<void>((resolve) => {
      socket.on('message', (data) => {
        if (data !== String(expected++)) wrong++;
        if (expected === count) resolve();
      });
    });
    socket.connect();
    const ws = await accepted;
    for (let i = 0; i < count; i++) ws.send(String(i));
    await all;
    expect(wrong).toBe(0);
  });

  it('is what the server sees: version 13, the offered protocols, a proper key', async () => {
    const request = new Promise<Record<string, unknown>>((resolve) => {
      server.once('connection', (_, { headers }) => resolve(headers));
    });
    const socket = make({ token: 'abc.def', protocols: 'chat' });
    socket.connect();
    const headers = await request;
    expect(headers['sec-websocket-version']).toBe('13');
    expect(headers['sec-websocket-protocol']).toBe(`chat,${RAW_PROTOCOL},anywire.bearer.abc.def`);
    expect(createHash('sha1').update(String(headers['sec-websocket-key'])).digest()).toHaveLength(
      20,
    );
  });
});
