import { h, say, set } from './dom';
import { choices, everything, type Filter } from './filter';
import type { Entry } from './recorder';

export interface Toolbar {
  readonly element: HTMLElement;
  show(entries: readonly Entry[], behind: number): void;
}

export interface ToolbarActions {
  filter(filter: Filter): void;
  pause(paused: boolean): void;
  clear(): void;
}

/** What narrows the timeline down, stops it and empties it. */
export function toolbar(actions: ToolbarActions): Toolbar {
  const directions = [
    ['', 'All'],
    ['in', 'Received'],
    ['out', 'Sent'],
    ['here', 'State'],
  ] as const;
  const direction = h('select', { 'aria-label': 'Direction', change });
  for (const [value, name] of directions) direction.append(h('option', { value }, name));
  const type = h('select', { 'aria-label': 'Type', change });
  const channel = h('select', { 'aria-label': 'Channel', change });
  const text = h('input', { type: 'search', placeholder: 'Search', input: change });
  set(text, { 'aria-label': 'Search in frames', autocomplete: 'off', spellcheck: 'false' });
  const pause = h('button', { class: 'act', type: 'button', click: toggle }, 'Pause');
  const clear = h('button', { class: 'act', type: 'button', click: actions.clear }, 'Clear');
  let paused = false;

  function change(): void {
    const next = {
      direction: direction.value as Filter['direction'],
      type: type.value,
      channel: channel.value,
      text: text.value.trim(),
    };
    actions.filter(Object.values(next).some((value) => value !== '') ? next : everything);
  }
  function toggle(): void {
    paused = !paused;
    set(pause, { 'aria-pressed': String(paused) });
    actions.pause(paused);
  }
  return {
    element: h('div', { class: 'bar' }, direction, type, channel, text, pause, clear),
    show(entries, behind) {
      offer(type, 'All types', choices(entries, 'type'));
      offer(channel, 'All channels', choices(entries, 'channel'));
      say(pause, paused ? `Go on${behind > 0 ? ` (${behind} new)` : ''}` : 'Pause');
    },
  };
}

/** Fills a choice; what is chosen stays chosen, even if it does not occur any more. */
function offer(select: HTMLSelectElement, all: string, values: readonly string[]): void {
  const { value } = select;
  const wanted = ['', ...(value === '' || values.includes(value) ? values : [value, ...values])];
  const there = [...select.options].map((option) => option.value);
  if (wanted.length === there.length && wanted.every((name, i) => name === there[i])) return;
  select.replaceChildren(...wanted.map((name) => h('option', { value: name }, name || all)));
  select.value = value;
}
