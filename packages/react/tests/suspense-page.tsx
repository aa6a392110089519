import { render } from '@testing-library/react';
import { Component, type ReactNode, StrictMode, Suspense } from 'react';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import type { AnywireError, Client } from '../../client/src/index';
import { AnywireProvider } from '../src/index';
import { makeClient } from './realtime';

/** React prints every error that a boundary catches. Whatever else it says fails the test. */
let complaints: unknown[] = [];
/** React 18 throws through the page, so that jsdom would print them, too. */
const quiet = (event: ErrorEvent) => event.preventDefault();
beforeEach(() => {
  complaints = [];
  window.addEventListener('error', quiet);
  vi.spyOn(console, 'error').mockImplementation((...args) => {
    const text = args.map(String).join(' ');
    if (!/AnywireError|The above error occurred|error boundary/.test(text)) complaints.push(args);
  });
});
afterEach(() => {
  window.removeEventListener('error', quiet);
  expect(complaints).toEqual([]);
});

/** Shows an error of the hooks below, until it is reset. */
export class Boundary extends Component<
  { readonly children?: ReactNode },
  { error?: AnywireError }
> {
  override state: { error?: AnywireError } = {};
  static getDerivedStateFromError(error: AnywireError) {
    return { error };
  }
  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <button type="button" onClick={() => this.setState({ error: undefined as never })}>
        {error.code}
      </button>
    );
  }
}

export interface Page {
  readonly client: Client;
  readonly container: HTMLElement;
  /** What a reader sees: what React hides behind a fallback is left out. */
  text(): string;
  rerender(children: ReactNode): void;
  unmount(): void;
}

/** A page whose parts suspend; "…" stands for the fallback. */
export function page(children: ReactNode, { client = makeClient(), strict = false } = {}): Page {
  const wrap = (children: ReactNode) => {
    const tree = (
      <AnywireProvider client={client}>
        <Boundary>
          <Suspense fallback="…">{children}</Suspense>
        </Boundary>
      </AnywireProvider>
    );
    return strict ? <StrictMode>{tree}</StrictMode> : tree;
  };
  const { container, rerender, unmount } = render(wrap(children));
  return {
    client,
    container,
    text: () =>
      [...container.childNodes]
        .filter((node) => !(node instanceof HTMLElement && node.style.display === 'none'))
        .map(({ textContent }) => textContent)
        .join(''),
    rerender: (children) => rerender(wrap(children)),
    unmount,
  };
}

export const join = (messages: readonly { readonly data: unknown }[]): string =>
  messages.map(({ data }) => String(data)).join(' ');
