import { mkdirSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:net';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { findProgram, probe } from '../src/config/probe';
import { close, listen, Programs, refusal, vacant } from './support/programs';

describe('who listens', () => {
  const found = async (answer: RequestListener) => {
    const [server, target] = await listen(answer);
    const who = await probe(target);
    await close(server);
    return who;
  };

  it('nobody', async () => {
    expect(await probe(await vacant())).toBe('nobody');
  });

  it('an Anywire', async () => {
    expect(await found(refusal)).toBe('anywire');
  });

  it.each<[string, RequestListener]>([
    ['a web site', (_, response) => response.end('<!doctype html>')],
    ['an API', (_, response) => response.end('{"error":"not found"}')],
    ['an API of lists', (_, response) => response.end('[]')],
    ['an API of nothing', (_, response) => response.end('null')],
    ['who hangs up', (request) => request.socket.destroy()],
  ])('somebody: %s', async (_, answer) => {
    expect(await found(answer)).toBe('somebody');
  });

  it('somebody who speaks something else', async () => {
    const server = createServer((socket) =>
      socket.end('220 mail.example.com\r\n', () => socket.destroy()),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    expect(await probe({ href: `http://127.0.0.1:${port}/anywire` })).toBe('somebody');
    await new Promise((resolve) => server.close(resolve));
  });

  it('nobody on either address of localhost', async () => {
    const { port } = await vacant();
    expect(await probe({ href: `http://localhost:${port}/anywire` })).toBe('nobody');
  });
});

describe('a program', () => {
  const all: Programs[] = [];
  const programs = () => {
    const made = new Programs();
    all.push(made);
    return made;
  };
  afterEach(() => {
    for (const made of all.splice(0)) made.remove();
  });

  it('is found on PATH by its name, the first of several', () => {
    const [a, b] = [programs(), programs()];
    const env = { PATH: ['', '/nowhere', a.folder, b.folder].join(path.delimiter) };
    expect(findProgram('anywire', env, '/')).toBe(path.join(a.folder, 'anywire'));
    expect(findProgram('anywhere', env, '/')).toBeUndefined();
    expect(findProgram('anywire', {}, '/')).toBeUndefined();
  });

  it('is found by its path, from the folder of the site', () => {
    const { folder } = programs();
    const file = path.join(folder, 'anywire');
    expect(findProgram(file, {}, '/')).toBe(file);
    expect(findProgram('./anywire', {}, folder)).toBe(file);
    expect(findProgram(`../${path.basename(folder)}/anywire`, {}, folder)).toBe(file);
    expect(findProgram('./anywire', { PATH: folder }, '/')).toBeUndefined();
  });

  it('is a file that may be run', () => {
    const { folder } = programs();
    writeFileSync(path.join(folder, 'text'), 'no program', { mode: 0o644 });
    mkdirSync(path.join(folder, 'folder'));
    expect(findProgram('text', { PATH: folder }, '/')).toBeUndefined();
    expect(findProgram('folder', { PATH: folder }, '/')).toBeUndefined();
    expect(findProgram('./folder', {}, folder)).toBeUndefined();
  });
});
