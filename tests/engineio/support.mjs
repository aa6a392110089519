// Engine.IO spoken by hand: single requests, packets of a body, sessions on polls and WebSockets.
import http from 'node:http';
import https from 'node:https';
import fs from 'node:fs';
import { once } from 'node:events';
import WebSocket from 'ws';
import { startServer } from '../support/server.mjs';
import { until, within } from '../support/poll.mjs';

export const kPath = '/engine.io/';
// What a public suite for this protocol asks of the server.
export const kSuiteFlags = {
  'engine.ping_interval': '300ms', 'engine.ping_timeout': '200ms', 'engine.max_payload': 1_000_000,
};
export const modes = [
  { name: 'plain-1', secure: false, loops: 1 },
  { name: 'plain-4', secure: false, loops: 4 },
  { name: 'tls-4', secure: true, loops: 4 },
];

export const start = (options = {}) =>
  startServer({ ...options, flags: { ...kSuiteFlags, ...options.flags } });

/** One request on a connection of its own; `query` is behind `?`. */
export function ask(server, method, query, { body, headers = {}, path = kPath, signal } = {}) {
  const { request } = server.secure ? https : http;
  return new Promise((resolve, reject) => {
    const sent = request({
      host: server.host, port: server.port, method, path: `${path}?${query}`, agent: false, signal,
      rejectUnauthorized: false,
      headers: body === undefined ? headers : { 'Content-Length': Buffer.byteLength(body), ...headers },
    }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('error', reject);
      answer.on('end', () => {
        const bytes = Buffer.concat(parts);
        resolve({ status: answer.statusCode, headers: answer.headers, bytes, body: `${bytes}` });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

export const handshake = (server, more = {}) =>
  ask(server, 'GET', 'EIO=4&transport=polling', more);

/** A session on polls. */
export class Session {
  static async open(server) {
    const { status, body } = await handshake(server);
    if (status !== 200) throw new Error(`no session: ${status} ${body}`);
    return new Session(server, JSON.parse(body.slice(1)).sid);
  }
  constructor(server, sid) {
    this.server = server;
    this.query = `EIO=4&transport=polling&sid=${sid}`;
    this.sid = sid;
  }
  poll(more) {
    return ask(this.server, 'GET', this.query, more);
  }
  post(body, more = {}) {
    return ask(this.server, 'POST', this.query,
      { body, ...more, headers: { 'Content-Type': 'text/plain;charset=UTF-8', ...more.headers } });
  }
  get gone() {
    return this.poll().then(({ status, body }) => status === 400 && JSON.parse(body).code === 1);
  }
}

/** A WebSocket that keeps what it hears. */
export class Socket {
  heard = [];
  constructor(server, { sid, query = 'EIO=4&transport=websocket', ...more } = {}) {
    this.ws = new WebSocket(server.url(`${kPath}?${query}${sid ? `&sid=${sid}` : ''}`),
      { rejectUnauthorized: false, ...more });
    this.ws.on('message', (data, binary) => this.heard.push(binary ? data : `${data}`));
    this.ws.on('error', () => {});
    this.closed = once(this.ws, 'close').then(([code]) => code);
    this.refused = once(this.ws, 'unexpected-response').then(([, answer]) => answer.statusCode);
  }
  static async open(server, options) {
    const socket = new Socket(server, options);
    await within('an open WebSocket', once(socket.ws, 'open'));
    return socket;
  }
  say(data) {
    this.ws.send(data);
  }
  async next() {
    await until('a packet', () => this.heard.length > 0);
    return this.heard.shift();
  }
  destroy() {
    this.ws.terminate();
  }
}

/** Sockets only: a loop makes a ring for its output when it first needs one, and keeps it. */
export const descriptors = (server) =>
  fs.readdirSync(`/proc/${server.pid}/fd`).filter((fd) => {
    try {
      return fs.readlinkSync(`/proc/${server.pid}/fd/${fd}`).startsWith('socket:');
    } catch {
      return false;  // closed since
    }
  }).length;
