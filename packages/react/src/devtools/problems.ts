import { h, Keyed, say } from './dom';
import { clockTime } from './format';
import type { Part } from './overview';
import type { Problem, Recorder } from './recorder';

/** What went wrong, newest first, each with what to do about it. */
export function problems(): Part {
  let recorder: Recorder | undefined;
  const list = h('ol');
  const empty = h('div', { class: 'empty' }, 'Nothing has gone wrong.');
  const rows = new Keyed<Problem>(list, ({ id }) => id, makeRow, fillRow);
  const clear = () => recorder?.clearProblems();
  const button = h('button', { class: 'act', type: 'button', click: clear }, 'Clear errors');
  const bar = h('div', { class: 'bar' }, button);
  return {
    element: h('div', { class: 'problems' }, bar, list, empty),
    show(now) {
      recorder = now;
      rows.show([...now.problems].reverse());
      const none = now.problems.length === 0;
      bar.hidden = none;
      list.hidden = none;
      empty.hidden = !none;
    },
  };
}

function makeRow(): HTMLElement {
  const top = h(
    'div',
    { class: 'top' },
    h('span', { class: 'code mono' }),
    h('span', { class: 'channel' }),
    h('span', { class: 'when mono' }),
  );
  return h('li', {}, top, h('div', { class: 'said' }), h('div', { class: 'advice' }));
}

function fillRow(row: Element, { at, code, message, advice, channel, count }: Problem): void {
  const [top, said, hint] = row.children;
  const [name, where, when] = top?.children ?? [];
  if (name) say(name, count > 1 ? `${code} ×${count}` : code);
  if (where) say(where, channel ?? '');
  if (when) say(when, clockTime(at));
  if (said) say(said, message);
  if (hint) say(hint, advice ?? '');
}
