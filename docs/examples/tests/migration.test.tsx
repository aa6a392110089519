// The examples of the migration guides, and of useWebSocket.

import type { AddressInfo } from 'node:net';
import { createMockServer } from '@anywire/testing';
import { renderWithAnywire } from '@anywire/testing/react';
import { act, cleanup, fireEvent, render, screen, waitFor } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { Notes } from '../migrate-ably';
import { Room } from '../migrate-partysocket';
import { Prices } from '../migrate-react-use-websocket';
import { Echo } from '../use-web-socket';

describe('any WebSocket server', () => {
  let server: WebSocketServer;
  let url: string;
  let socket: Promise<WebSocket>;
  let asked: string[];

  beforeEach(async () => {
    asked = [];
    server = new WebSocketServer({
      host: '127.0.0.1',
      port: 0,
      handleProtocols: (offered) => {
        asked = [...offered];
        return asked[0] ?? false;
      },
    });
    await new Promise((resolve) => server.once('listening', resolve));
    url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    socket = new Promise((resolve) => server.once('connection', resolve));
  });
  afterEach(async () => {
    cleanup();
    for (const client of server.clients) client.terminate();
    await new Promise((resolve) => server.close(resolve));
  });

  it('useWebSocket shows what is said, and says something', async () => {
    render(<Echo url={url} />);
    const peer = await socket;
    expect(await screen.findByText('connected')).toBeDefined();
    const said = new Promise<string>((resolve) =>
      peer.once('message', (data) => resolve(String(data))),
    );
    fireEvent.click(screen.getByText('Send'));
    expect(await said).toBe('{"msg":"hello"}');
    act(() => peer.send('{"msg":"welcome"}'));
    expect(await screen.findByText('welcome')).toBeDefined();
  });

  it('as react-use-websocket did: every tick counts', async () => {
    render(<Prices url={url} />);
    const peer = await socket;
    for (let price = 0; price <= 50; price++) peer.send(JSON.stringify({ price: 50 - price }));
    expect(await screen.findByText('20 ticks, highest 50')).toBeDefined();
  });

  it('as partysocket did: the token is no part of the URL', async () => {
    const getToken = vi.fn(async () => 'secret-token');
    vi.stubGlobal('location', new URL(url.replace('ws:', 'http:')));
    const requested = new Promise<string>((resolve) =>
      server.once('connection', (_, request) => resolve(request.url ?? '')),
    );
    render(<Room room="lobby" getToken={getToken} />);
    expect(await requested).toBe('/raw/lobby');
    expect(await screen.findByText(/^connected/)).toBeDefined();
    expect(asked.some((protocol) => protocol.includes('secret-token'))).toBe(true);
    vi.unstubAllGlobals();
  });
});

describe('as ably/react did', () => {
  it('messages, events, presence and the state of the connection', async () => {
    const server = createMockServer();
    server.publish('notes', { text: 'before' });
    const page = await renderWithAnywire(<Notes name="Ann" />, { server });
    await waitFor(() => expect(screen.getByRole('status').textContent).toBe('open, Ann'));
    expect(await screen.findByText('before')).toBeDefined();
    await page.act(() => server.enter('notes', { name: 'Bob' }));
    await waitFor(() => expect(screen.getByRole('status').textContent).toBe('open, Ann, Bob'));
    await page.act(() => fireEvent.click(screen.getByText('Pin milk')));
    expect(await screen.findByText('Pinned: milk')).toBeDefined();
    expect(server).toHavePublished('notes', { text: 'milk' }, { event: 'pin' });
  });
});
