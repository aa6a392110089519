import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { poll, sse } from '../../src/fallbacks';
import { type Client, type ClientOptions, createClient, history, websocket } from '../../src/index';
import { msgpack } from '../../src/msgpack';
import type { Codec } from '../../src/realtime/wire';
import { FakeFetch } from '../support/fake-fetch';
import { NativeServer } from '../support/native-server';

/**
 * Real sockets, real `fetch`, real time, npm `ws`; only what the server says is a model. Everything
 * is awaited, not slept.
 */
let model: NativeServer;
let http: Server;
let blocked = false;
let url = '';
const clients: Client[] = [];

beforeEach(async () => {
  model = new NativeServer();
  blocked = false;
  const side = new FakeFetch(model);
  http = createServer((request, response) => void relay(side, request, response));
  const wss = new WebSocketServer({ noServer: true });
  http.on('upgrade', (request, socket, head) => {
    if (blocked) {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    wss.handleUpgrade(request, socket, head, (ws) => serve(ws));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/anywire`;
});

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  http.closeAllConnections();
  await new Promise((resolve) => http.close(resolve));
});

function serve(ws: WebSocket): void {
  const codec: Codec = model.codec;
  const conn = model.open({
    send: (messages) => ws.send(codec.join(messages.map((m) => codec.encode(m as never)))),
    close: (code, reason) => (code === 1006 ? ws.terminate() : ws.close(code, reason)),
  });
  ws.binaryType = 'arraybuffer';
  ws.on('message', (data, binary) => {
    const frame = binary ? (data as ArrayBuffer) : String(data);
    for (const message of codec.decode(frame)) model.take(conn, message);
  });
}

/** Between Node's HTTP and a `fetch` that answers. */
async function relay(side: FakeFetch, request: IncomingMessage, response: ServerResponse) {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const answer = await side
    .fetch(`http://x${request.url}`, {
      method: request.method ?? 'GET',
      body: Buffer.concat(parts).toString() || null,
      signal: gone.signal,
    })
    .catch(() => undefined);
  if (!answer) {
    response.destroy();
    return;
  }
  response.writeHead(answer.status);
  response.flushHeaders();
  try {
    for await (const part of answer.body ?? []) response.write(part);
    response.end();
  } catch {
    response.destroy();
  }
}

function make(options: Partial<ClientOptions> = {}): Client {
  const client = createClient({ url, WebSocket, memory: false, ...options });
  clients.push(client);
  return client;
}

function collect(client: Client, count: number): Promise<unknown[]> {
  const seen: unknown[] = [];
  return new Promise((resolve) =>
    client.channel('a').subscribe(({ data }) => {
      if (seen.push(data) === count) resolve(seen);
    }),
  );
}

const ways: [string, () => Partial<ClientOptions>][] = [
  ['WebSocket and JSON', () => ({})],
  ['WebSocket and MessagePack', () => ({ codec: msgpack() })],
  ['Server-Sent Events', () => ({ transports: [sse()] })],
  ['long-polling', () => ({ transports: [poll()] })],
];

describe.each(ways)('over %s', (_, options) => {
  it('two clients talk, and one recovers after its connection was cut', async () => {
    const given = options();
    if (given.codec) model.codec = given.codec;
    const ann = make(given);
    const bob = make(given);
    const seen = collect(ann, 4);
    await ann.connect();
    const mine = model.last;
    expect((await bob.channel('a').publish('ä€😀')).offset).toBe(1);
    expect((await bob.channel('a').publish({ n: 1 })).offset).toBe(2);
    mine.close(1006);
    await bob.channel('a').publish(new Uint8Array([1, 2]));
    await bob.channel('a').publish(null);
    expect(await seen).toEqual(['ä€😀', { n: 1 }, new Uint8Array([1, 2]), null]);
    await ann.connect();
    expect(ann.snapshot.opens).toBe(2);
    const page = await history(ann.channel('a'), { order: 'backward', limit: 1 });
    expect(page).toMatchObject({ top: 4, more: true });
  });
});

describe('where WebSocket is blocked', () => {
  it('is open within 3 s, and returns to WebSocket when it is not any more', async () => {
    blocked = true;
    const begun = Date.now();
    const client = make({ transports: [websocket(), sse(), poll()], upgradeAfter: 20 });
    const seen = collect(client, 2);
    await client.connect();
    expect(Date.now() - begun).toBeLessThan(3000);
    expect(client.snapshot.transport).toBe('sse');
    await client.channel('a').publish(1);
    const back = new Promise<void>((resolve) =>
      client.on('state', ({ transport }) => {
        if (transport === 'websocket') resolve();
      }),
    );
    blocked = false;
    await back;
    await client.channel('a').publish(2);
    expect(await seen).toEqual([1, 2]);
    expect(client.snapshot.clientId).toBe('c1');
  });
});
