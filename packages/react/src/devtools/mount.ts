import type { Client } from '@anywire/client';
import { h, say, set } from './dom';
import { glyph, type Panel, panel } from './panel';
import { leaseRecorder, type Recorder } from './recorder';
import { applyStyles } from './styles';

export interface MountOptions {
  readonly position: 'bottom-right' | 'bottom-left' | 'top-right' | 'top-left';
  readonly theme: 'auto' | 'light' | 'dark';
  /** By the names that the picker shows; the first is shown first. */
  readonly clients: Readonly<Record<string, Client>>;
}

export interface Mounted {
  /** Everything may change at any time; clients that stay keep their past. */
  configure(options: MountOptions): void;
  remove(): void;
}

interface Watched {
  readonly client: Client;
  readonly recorder: Recorder;
  readonly end: () => void;
}

/** Figures that grow by themselves, such as "open for 3 s", are drawn anew this often. */
const tickMs = 500;
const openKey = 'anywire-devtools';

/**
 * Puts the devtools onto the page, in an element of their own outside of what React renders: so
 * neither can hydration find them nor can a crash of the page take them down.
 */
export function mount(nonce: string | undefined): Mounted {
  const host = document.createElement('anywire-devtools');
  const shadow = host.attachShadow({ mode: 'open' });
  applyStyles(shadow, nonce);
  const watched = new Map<string, Watched>();
  let chosen = '';
  let shownPanel: Panel | undefined;
  let tick: ReturnType<typeof setInterval> | undefined;

  const count = h('span', { class: 'count' });
  const launch = h('button', { class: 'launch', type: 'button', click: () => open(true) });
  launch.append(glyph(), h('span', {}, 'Anywire'), count);
  const root = h('div', { class: 'root' }, launch);
  shadow.append(root);
  document.body.append(host);

  function draw(): void {
    const { recorder } = watched.get(chosen) ?? {};
    root.hidden = !recorder;
    if (!recorder) return;
    const { state } = recorder.client.snapshot;
    const errors = recorder.problems.reduce((sum, problem) => sum + problem.count, 0);
    set(launch, {
      'data-state': state,
      'aria-label': `Anywire devtools: ${state}${errors > 0 ? `, errors: ${errors}` : ''}`,
    });
    say(count, errors > 99 ? '99+' : String(errors));
    count.hidden = errors === 0;
    shownPanel?.show(recorder, [...watched.keys()], chosen);
  }

  function open(focus: boolean): void {
    if (shownPanel) return;
    shownPanel = panel({ choose, close });
    launch.hidden = true;
    root.append(shownPanel.element);
    tick = setInterval(draw, tickMs);
    remember(true);
    draw();
    if (focus) shownPanel.focus();
  }

  function close(): void {
    clearInterval(tick);
    shownPanel?.element.remove();
    shownPanel = undefined;
    launch.hidden = false;
    remember(false);
    draw();
    launch.focus();
  }

  function choose(name: string): void {
    chosen = name;
    draw();
  }

  if (remembered()) open(false);
  return {
    configure({ position, theme, clients }) {
      set(root, { 'data-at': position });
      set(host, { 'data-theme': theme });
      watch(watched, clients, draw);
      if (!watched.has(chosen)) chosen = [...watched.keys()][0] ?? '';
      draw();
    },
    remove() {
      clearInterval(tick);
      for (const { end } of watched.values()) end();
      watched.clear();
      host.remove();
    },
  };
}

/** Begins with clients that are new and ends with those that are gone. */
function watch(
  watched: Map<string, Watched>,
  clients: Readonly<Record<string, Client>>,
  draw: () => void,
): void {
  const before = new Map(watched);
  watched.clear();
  for (const [name, client] of Object.entries(clients)) {
    const known = before.get(name);
    if (known?.client === client) {
      watched.set(name, known);
      before.delete(name);
      continue;
    }
    const { recorder, release } = leaseRecorder(client);
    const leave = recorder.subscribe(draw);
    const end = () => {
      leave();
      release();
    };
    watched.set(name, { client, recorder, end });
  }
  for (const { end } of before.values()) end();
}

/** Whether the panel was open when the page was left. A page may have no storage. */
function remembered(): boolean {
  try {
    return sessionStorage.getItem(openKey) !== null;
  } catch {
    return false;
  }
}

function remember(open: boolean): void {
  try {
    if (open) sessionStorage.setItem(openKey, 'open');
    else sessionStorage.removeItem(openKey);
  } catch {
    // Then it is closed after a reload, which does no harm.
  }
}
