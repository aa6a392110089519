// @vitest-environment node
import { renderToString } from 'react-dom/server';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { useWebSocket, type WsResult } from '../src/index';

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function Page({
  url,
  onRender,
}: {
  url: string | null;
  onRender: (result: WsResult<unknown>) => void;
}) {
  const result = useWebSocket(url);
  onRender(result);
  return <p>{result.state}</p>;
}

describe('on the server', () => {
  it.each(['/raw/lobby', 'wss://anywire.test/', 'nonsense', null])('%j is idle', (url) => {
    vi.useFakeTimers();
    vi.stubGlobal('WebSocket', () => {
      throw new Error('a WebSocket on the server');
    });
    expect(typeof window).toBe('undefined');
    let seen: WsResult<unknown> | undefined;
    const html = renderToString(
      <Page
        url={url}
        onRender={(result) => {
          seen = result;
        }}
      />,
    );
    expect(html).toBe('<p>idle</p>');
    expect(seen).toMatchObject({ connected: false, messages: [], attempt: 0, dropped: 0 });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('importing the package creates nothing', async () => {
    const before = Object.getOwnPropertySymbols(globalThis).length;
    await import('../src/index');
    expect(Object.getOwnPropertySymbols(globalThis)).toHaveLength(before);
  });
});
