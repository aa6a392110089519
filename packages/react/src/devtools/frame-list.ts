import { words } from './detail';
import { h, Keyed, set } from './dom';
import { summary } from './filter';
import { clockTime, size } from './format';
import type { Entry } from './recorder';

/** The height of a row, as in the styles. */
const rowPx = 22;
/** Rows kept ready above and below of what is seen. */
const spare = 10;
/** This near to its end a list is read at its end, and stays there. */
const nearPx = 40;
const arrows = { in: '↓', out: '↑', here: '•' };

export interface FrameList {
  readonly element: HTMLElement;
  /** Shows these, and the newest of them if that is where it was read, or `follow` says so. */
  show(entries: readonly Entry[], follow: boolean): void;
  /** Marks one, and brings it into view. */
  choose(entry: Entry | undefined): void;
}

/**
 * A list of frames of which only those in view are elements, so that a flood of them costs little.
 * `choose` is called when the developer picks one, undefined when no more.
 */
export function frameList(choose: (entry: Entry | undefined) => void): FrameList {
  let entries: readonly Entry[] = [];
  let chosen: Entry | undefined;
  const inner = h('div', { role: 'presentation', class: 'rows' });
  const element = h('div', { class: 'list mono', role: 'listbox', tabindex: '0' }, inner);
  set(element, { 'aria-label': 'Frames, newest last', keydown: onKey, scroll: draw });
  const rows = new Keyed<Entry>(
    inner,
    (entry) => entry,
    (entry) => row(entry, choose),
    (element, entry) => set(element, { 'aria-selected': String(entry === chosen) }),
  );

  function draw(): void {
    const { clientHeight, scrollTop } = element;
    // Without a layout there is nothing to go by.
    const blind = clientHeight === 0;
    const seen = blind ? entries.length : Math.ceil(clientHeight / rowPx);
    const first = blind ? 0 : Math.max(0, Math.floor(scrollTop / rowPx) - spare);
    inner.style.height = `${entries.length * rowPx}px`;
    inner.style.paddingTop = `${first * rowPx}px`;
    rows.show(entries.slice(first, first + seen + 2 * spare));
    set(element, { 'aria-activedescendant': chosen && rows.get(chosen)?.id });
  }

  function reveal(index: number): void {
    const top = index * rowPx;
    const bottom = top + rowPx - element.clientHeight;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (bottom > element.scrollTop) element.scrollTop = bottom;
  }

  function onKey(event: KeyboardEvent): void {
    const at = chosen ? entries.indexOf(chosen) : -1;
    const last = entries.length - 1;
    const next = {
      ArrowDown: at < 0 ? last : Math.min(at + 1, last),
      ArrowUp: at < 0 ? last : Math.max(at - 1, 0),
      Home: 0,
      End: last,
    }[event.key];
    if (next !== undefined) {
      event.preventDefault();
      choose(entries[next]);
    } else if (event.key === 'Escape' && chosen) {
      // The first Escape closes the frame, the next one the panel.
      event.stopPropagation();
      choose(undefined);
    }
  }

  return {
    element,
    show(next, follow) {
      const { clientHeight, scrollHeight, scrollTop } = element;
      const atEnd = scrollHeight - scrollTop - clientHeight < nearPx;
      entries = next;
      draw();
      if (!follow || !atEnd) return;
      element.scrollTop = entries.length * rowPx - element.clientHeight;
      draw();
    },
    choose(entry) {
      chosen = entry;
      if (entry) reveal(entries.indexOf(entry));
      draw();
    },
  };
}

function row(entry: Entry, choose: (entry: Entry) => void): HTMLElement {
  const { id, at, direction, type, channel, bytes } = entry;
  const cell = (name: string, text: string) => h('span', { class: name }, text);
  return h(
    'div',
    {
      class: 'row',
      role: 'option',
      id: `frame-${id}`,
      'data-way': direction,
      'data-state': direction === 'here' ? type : undefined,
      'data-bad': type === 'error' || type === 'gap',
      click: () => choose(entry),
    },
    cell('time', clockTime(at)),
    h('span', { class: 'way', title: words[direction] }, arrows[direction]),
    cell('type', type),
    cell('channel', channel ?? ''),
    cell('text', summary(entry)),
    cell('size', bytes === undefined ? '' : size(bytes)),
  );
}
