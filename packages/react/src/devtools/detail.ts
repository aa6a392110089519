import { describe } from './describe';
import { h, say, set } from './dom';
import { clockTime, plural } from './format';
import { colours } from './json';
import type { Entry } from './recorder';

/** What the ways of a frame are called. */
export const words = { in: 'received', out: 'sent', here: 'state' };

export interface DetailView {
  readonly element: HTMLElement;
  open(entry: Entry | undefined): void;
}

/** One frame in full. `close` is called when the developer has had enough of it. */
export function detailView(close: () => void): DetailView {
  let text = '';
  const title = h('span');
  const body = h('pre', { class: 'mono', tabindex: '0', 'aria-label': 'Frame as JSON' });
  const copy = h('button', { class: 'act', type: 'button', click: copyText }, 'Copy');
  const shut = h('button', { class: 'icon', type: 'button', 'aria-label': 'Close frame' }, '×');
  set(shut, { click: close });
  const element = h('section', { class: 'detail' }, h('header', {}, title, copy, shut), body);
  set(element, { 'aria-label': 'Frame', hidden: true });

  async function copyText(): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      say(copy, 'Copied');
    } catch {
      say(copy, 'Not allowed');
    }
  }
  return {
    element,
    open(next) {
      element.hidden = !next;
      if (!next) return;
      text = describe(next.message, { pretty: true });
      say(copy, 'Copy');
      say(title, headline(next));
      body.replaceChildren(colours(text));
      body.scrollTop = 0;
    },
  };
}

function headline({ at, bytes, direction, transport, type }: Entry): string {
  const facts = [`${type}, ${words[direction]} ${clockTime(at)}`];
  if (transport !== undefined) facts.push(transport);
  if (bytes !== undefined) facts.push(plural(bytes, 'byte'));
  return facts.join(' · ');
}
