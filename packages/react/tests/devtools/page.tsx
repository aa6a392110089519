import { act, fireEvent } from '@testing-library/react';
import { beforeEach } from 'vitest';
import { pass } from '../realtime';

/** What a developer sees and does: the devtools on the page, found by role, label and text. */
beforeEach(() => sessionStorage.clear());

export const hosts = (): Element[] => [...document.querySelectorAll('anywire-devtools')];

export function shadow(): ShadowRoot {
  const root = hosts()[0]?.shadowRoot;
  if (!root) throw new Error('no devtools on the page');
  return root;
}

/** The first element that is shown, if any. */
export function find<E extends HTMLElement = HTMLElement>(selector: string): E | undefined {
  return all<E>(selector)[0];
}

export function all<E extends HTMLElement = HTMLElement>(selector: string): E[] {
  return [...shadow().querySelectorAll<E>(selector)].filter((one) => !one.closest('[hidden]'));
}

export function get<E extends HTMLElement = HTMLElement>(selector: string): E {
  const found = find<E>(selector);
  if (!found) throw new Error(`no ${selector}`);
  return found;
}

export function button(name: string): HTMLButtonElement {
  const named = (one: Element) =>
    (one.getAttribute('aria-label') ?? one.textContent ?? '').startsWith(name);
  const found = all<HTMLButtonElement>('button').find(named);
  if (!found) throw new Error(`no button ${name}`);
  return found;
}

/** Presses a button, and lets a frame be drawn. */
export async function press(name: string): Promise<void> {
  act(() => void fireEvent.click(button(name)));
  await pass(50);
}

export async function key(target: Element, name: string): Promise<void> {
  act(() => void fireEvent.keyDown(target, { key: name, bubbles: true, composed: true }));
  await pass(50);
}

export async function choose(label: string, value: string): Promise<void> {
  const field = get<HTMLSelectElement>(`[aria-label="${label}"]`);
  act(() => {
    field.value = value;
    field.dispatchEvent(new Event(field.tagName === 'INPUT' ? 'input' : 'change'));
  });
  await pass(50);
}

/** The rows of the timeline: `way type channel`. */
export const rows = (): string[] =>
  all('.row').map((row) =>
    ['.way', '.type', '.channel']
      .map((part) => row.querySelector(part)?.textContent ?? '')
      .join(' ')
      .trim(),
  );

/** A fact of the left side. */
export function fact(name: string): string | undefined {
  const term = all('dt').find(({ textContent }) => textContent === name);
  return term?.nextElementSibling?.textContent ?? undefined;
}
