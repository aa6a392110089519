import { detailView } from './detail';
import { h, say } from './dom';
import { everything, type Filter, filtered } from './filter';
import { frameList } from './frame-list';
import type { Part } from './overview';
import type { Entry, Recorder } from './recorder';
import { toolbar } from './toolbar';

/** The timeline: filters, the frames, and one of them in full. */
export function timeline(): Part {
  let recorder: Recorder | undefined;
  let filter: Filter = everything;
  /** What is shown while it is paused. */
  let frozen: readonly Entry[] | undefined;
  const detail = detailView(() => {
    choose(undefined);
    list.element.focus();
  });
  const list = frameList(choose);
  const empty = h('div', { class: 'empty' });
  const bar = toolbar({
    filter(next) {
      filter = next;
      draw();
    },
    pause(paused) {
      frozen = paused ? recorder?.entries : undefined;
      draw();
    },
    clear() {
      if (frozen) frozen = [];
      choose(undefined);
      recorder?.clear();
      draw();
    },
  });

  function draw(): void {
    if (!recorder) return;
    const entries = frozen ?? recorder.entries;
    const shown = filtered(entries, filter);
    list.element.hidden = shown.length === 0;
    list.show(shown, !frozen);
    bar.show(entries, frozen ? behind(recorder.entries, frozen) : 0);
    empty.hidden = shown.length > 0;
    say(empty, entries.length > 0 ? 'No frame passes the filter.' : 'No frames yet.');
  }

  function choose(entry: Entry | undefined): void {
    detail.open(entry);
    list.choose(entry);
  }

  const hold = h('div', { class: 'hold' }, list.element, empty);
  return {
    element: h('div', { class: 'frames' }, bar.element, hold, detail.element),
    show(now) {
      if (recorder && recorder !== now) {
        frozen = frozen && now.entries;
        choose(undefined);
      }
      recorder = now;
      draw();
    },
  };
}

/** How many entries are newer than the frozen ones, as far as they are still there. */
function behind(now: readonly Entry[], frozen: readonly Entry[]): number {
  const last = frozen.at(-1)?.id ?? 0;
  return now.filter(({ id }) => id > last).length;
}
