import { h, say, set, svg } from './dom';
import { overview } from './overview';
import { problems } from './problems';
import type { Recorder } from './recorder';
import { timeline } from './timeline';

export interface Panel {
  readonly element: HTMLElement;
  /** Draws what the recorder knows now. `names`: the clients to choose from. */
  show(recorder: Recorder, names: readonly string[], chosen: string): void;
  focus(): void;
}

export interface PanelActions {
  choose(name: string): void;
  close(): void;
}

/** The sign of Anywire: something that goes on. Its colour is the state's. */
export function glyph(): SVGElement {
  const stroke = { fill: 'none', stroke: 'currentColor', 'stroke-width': 2.2 };
  return svg(
    'svg',
    { class: 'glyph', viewBox: '0 0 16 16', 'aria-hidden': 'true' },
    svg('path', { ...stroke, 'stroke-linecap': 'round', d: 'M1.5 8c2-6 4.5-6 6.5 0s4.5 6 6.5 0' }),
  );
}

export function panel(actions: PanelActions): Panel {
  const side = overview();
  const main = tabs();
  const head = header(actions);
  const element = h(
    'div',
    { class: 'panel', role: 'dialog', 'aria-label': 'Anywire devtools', tabindex: '-1' },
    head.element,
    h('div', { class: 'body' }, side.element, main.element),
  );
  set(element, {
    keydown: (event: KeyboardEvent) => {
      // The page has shortcuts of its own, which typing in here should not set off.
      event.stopPropagation();
      if (event.key === 'Escape') actions.close();
    },
  });
  return {
    element,
    show(recorder, names, chosen) {
      head.show(recorder, names, chosen);
      side.show(recorder);
      main.show(recorder);
    },
    focus: () => element.focus(),
  };
}

function header(actions: PanelActions): Omit<Panel, 'focus'> {
  let recorder: Recorder | undefined;
  const button = (name: string, title: string, click: () => void) =>
    h('button', { class: 'act', type: 'button', title, click }, name);
  const pill = h('span', { class: 'pill', role: 'status' });
  const picker = h('select', {
    'aria-label': 'Client',
    change: () => actions.choose(picker.value),
  });
  const offline = button('Offline', 'As if the device had no network', () =>
    recorder?.setOffline(!recorder.offline),
  );
  const kill = button('Kill link', 'As if the network had cut the link', () => recorder?.kill());
  const again = button('Reconnect', 'A new link now', () => recorder?.reconnect());
  const close = h('button', { class: 'icon', type: 'button', click: actions.close }, '×');
  set(close, { 'aria-label': 'Close devtools' });
  const name = h('strong', {}, 'Anywire');
  const space = h('span', { class: 'space' });
  return {
    element: h('div', { class: 'head' }, name, pill, picker, space, offline, kill, again, close),
    show(now, names, chosen) {
      recorder = now;
      const { state } = now.client.snapshot;
      set(pill, { 'data-state': state });
      say(pill, state);
      set(offline, { 'aria-pressed': String(now.offline) });
      kill.disabled = state !== 'open';
      picker.hidden = names.length < 2;
      if (names.join('\n') !== [...picker.options].map(({ value }) => value).join('\n')) {
        picker.replaceChildren(...names.map((name) => h('option', { value: name }, name)));
      }
      picker.value = chosen;
    },
  };
}

interface Tabs {
  readonly element: HTMLElement;
  show(recorder: Recorder): void;
}

function tabs(): Tabs {
  let recorder: Recorder | undefined;
  let chosen = 0;
  const parts = [timeline(), problems()];
  const names = ['Frames', 'Errors'];
  const buttons = names.map((name, i) => {
    const click = () => choose(i);
    return h('button', { class: 'tab', type: 'button', role: 'tab', id: `tab-${i}`, click }, name);
  });
  const list = h('div', { class: 'tabs', role: 'tablist', 'aria-label': 'Views' }, ...buttons);
  set(list, { keydown: onKey });
  for (const [i, { element }] of parts.entries()) {
    set(element, { role: 'tabpanel', 'aria-labelledby': `tab-${i}` });
  }

  function choose(next: number): void {
    chosen = next;
    for (const [i, button] of buttons.entries()) {
      set(button, { 'aria-selected': String(i === next), tabindex: i === next ? 0 : -1 });
    }
    for (const [i, { element }] of parts.entries()) element.hidden = i !== next;
    if (recorder) parts[next]?.show(recorder);
  }
  function onKey(event: KeyboardEvent): void {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    choose((chosen + step + parts.length) % parts.length);
    buttons[chosen]?.focus();
  }
  choose(0);
  return {
    element: h('div', { class: 'main' }, list, ...parts.map(({ element }) => element)),
    show(now) {
      recorder = now;
      const count = now.problems.reduce((sum, problem) => sum + problem.count, 0);
      if (buttons[1]) say(buttons[1], count > 0 ? `Errors (${count})` : 'Errors');
      // A hidden part costs nothing; it is drawn when it is chosen.
      parts[chosen]?.show(now);
    },
  };
}
