import { act } from '@testing-library/react';
import { StrictMode } from 'react';
import { hydrateRoot, type Root } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { describe, expect, it, vi } from 'vitest';
import { useWebSocket } from '../src/index';
import { accept, made, url } from './support';

function Page() {
  return <p>{useWebSocket(url).state}</p>;
}

describe('hydration', () => {
  it('begins with what the server drew, without a warning, and goes on from there', () => {
    const error = vi.spyOn(console, 'error');
    const container = document.createElement('div');
    const page = (
      <StrictMode>
        <Page />
      </StrictMode>
    );
    container.innerHTML = renderToString(page);
    expect(container.textContent).toBe('idle');
    let root: Root | undefined;
    act(() => {
      root = hydrateRoot(container, page);
    });
    expect(container.textContent).toBe('connecting');
    accept();
    expect(container.textContent).toBe('open');
    expect(made()).toBe(1);
    expect(error).not.toHaveBeenCalled();
    act(() => root?.unmount());
  });
});
