// HTTP/1.1 heads as text: a writer that can leave out, repeat or spoil any line, and a strict
// reader of responses (RFC 9112).
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

export const kKey = 'dGhlIHNhbXBsZSBub25jZQ==';

export const acceptFor = (key) =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

/**
 * An upgrade request. `headers` overrides by name: a string replaces, null removes, an array
 * repeats; `extra` lines are put in as they are; `eol` is the line end.
 */
export function upgradeRequest(path, options = {}) {
  const { method = 'GET', version = 'HTTP/1.1', headers = {}, extra = [], eol = '\r\n' } = options;
  const all = {
    Host: '127.0.0.1',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': kKey,
    'Sec-WebSocket-Version': '13',
    ...headers,
  };
  const lines = [options.line ?? `${method} ${path} ${version}`];
  for (const [name, value] of Object.entries(all)) {
    if (value === null) continue;
    for (const one of [value].flat()) lines.push(`${name}: ${one}`);
  }
  return Buffer.from([...lines, ...extra, '', ''].join(eol), 'latin1');
}

/** A plain request; `headers` as above, with Host given unless null. */
export function request(method, path, { headers = {}, version = 'HTTP/1.1', body = '' } = {}) {
  const lines = [`${method} ${path} ${version}`];
  for (const [name, value] of Object.entries({ Host: '127.0.0.1', ...headers })) {
    if (value === null) continue;
    for (const one of [value].flat()) lines.push(`${name}: ${one}`);
  }
  return Buffer.concat([Buffer.from([...lines, '', ''].join('\r\n'), 'latin1'), Buffer.from(body)]);
}

/** Parses a whole response head (without the blank line); throws where RFC 9112 is not kept. */
export function parseHead(head) {
  const lines = head.toString('latin1').split('\r\n');
  const status = /^HTTP\/1\.1 (\d{3}) ([\t\x20-\x7e]*)$/.exec(lines[0]);
  assert.ok(status, `status line: ${JSON.stringify(lines[0])}`);
  const headers = new Map();
  for (const line of lines.slice(1)) {
    const field = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/.exec(line);
    assert.ok(field, `header line: ${JSON.stringify(line)}`);
    const name = field[1].toLowerCase();
    headers.set(name, headers.has(name) ? `${headers.get(name)}, ${field[2]}` : field[2]);
  }
  return { status: Number(status[1]), headers };
}
