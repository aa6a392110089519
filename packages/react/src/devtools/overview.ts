import type { ChannelFacts } from './channels';
import { h, Keyed, say, set, svg } from './dom';
import { place, plural, span } from './format';
import type { Recorder } from './recorder';
import type { Second } from './traffic';

/** A part of the panel: an element, and how to make it show what a recorder knows now. */
export interface Part {
  readonly element: HTMLElement;
  show(recorder: Recorder): void;
}

/** The left side: connection, traffic, what was lost, channels. */
export function overview(): Part {
  const parts = [connection(), traffic(), channels()];
  return {
    element: h('div', { class: 'side' }, ...parts.map(({ element }) => element)),
    show(recorder) {
      for (const part of parts) part.show(recorder);
    },
  };
}

function connection(): Part {
  const list = h('dl', { class: 'facts' });
  const values = new Map<string, HTMLElement>();
  const fact = (name: string, value: string) => {
    let cell = values.get(name);
    if (!cell) {
      cell = h('dd', {});
      values.set(name, cell);
      list.append(h('dt', {}, name), cell);
    }
    say(cell, value);
    set(cell, { title: value });
  };
  return {
    element: h('section', { 'aria-label': 'Connection' }, h('h2', {}, 'Connection'), list),
    show(recorder) {
      const { attempt, clientId, lastClose, opens, transport, user } = recorder.client.snapshot;
      fact('Link', link(recorder));
      fact('Transport', transport ?? '–');
      fact('Attempt', String(attempt));
      fact('Opened', plural(opens, 'time'));
      fact('Server', place(recorder.url));
      fact('Client', clientId ?? '–');
      fact('User', user ?? 'anonymous');
      fact('Token ends', expiry(recorder.expires));
      fact('Last close', lastClose ? `${lastClose.code} ${lastClose.reason}`.trim() : '–');
    },
  };
}

function link({ client, openedAt }: Recorder): string {
  const { state, retryAt } = client.snapshot;
  if (state === 'open')
    return openedAt === undefined ? 'open' : `up for ${span(Date.now() - openedAt)}`;
  return retryAt === undefined ? state : `next try in ${span(retryAt - Date.now())}`;
}

function expiry(expires: number | undefined): string {
  if (expires === undefined) return '–';
  const left = expires - Date.now();
  return left > 0 ? `in ${span(left)}` : 'expired';
}

const sparkWidth = 59;
const sparkHeight = 30;

function traffic(): Part {
  const incoming = svg('path', { class: 'in' });
  const outgoing = svg('path', { class: 'out' });
  const view = `0 -1 ${sparkWidth} ${sparkHeight + 2}`;
  const chart = svg(
    'svg',
    { class: 'spark', viewBox: view, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    incoming,
    outgoing,
  );
  const received = h('b', { class: 'in' });
  const sent = h('b', { class: 'out' });
  const tiles = h('div', { class: 'tiles' });
  const tile = (name: string, title: string) => {
    const figure = h('b');
    const element = h('div', { class: 'tile', title }, figure, name);
    tiles.append(element);
    return (count: number, bad: boolean) => {
      say(figure, String(count));
      set(element, { 'data-bad': bad && count > 0 });
    };
  };
  const waiting = tile('waiting', 'Commands that wait for a connection or an answer');
  const lost = tile('lost', 'Messages that the server could not bring back');
  const dropped = tile('dropped', 'Messages that a schema refused, commands that found no room');
  const legend = h('div', { class: 'legend' }, h('span', {}, received), h('span', {}, sent));
  const heading = h('h2', {}, 'Frames, last minute');
  return {
    element: h('section', { 'aria-label': 'Traffic' }, heading, chart as never, legend, tiles),
    show({ client, counters, traffic: seconds }) {
      const minute = seconds.last(Date.now());
      const top = Math.max(4, ...minute.map(({ received, sent }) => Math.max(received, sent)));
      set(incoming, { d: line(minute, top, 'received') });
      set(outgoing, { d: line(minute, top, 'sent') });
      say(received, `↓ ${counters.received} in`);
      say(sent, `↑ ${counters.sent} out`);
      waiting(client.queued, false);
      lost(counters.lost, true);
      dropped(counters.dropped, true);
    },
  };
}

function line(minute: readonly Second[], top: number, which: keyof Second): string {
  const points = minute.map((second, x) => {
    const y = sparkHeight - (second[which] / top) * sparkHeight;
    return `${x} ${Math.round(y * 10) / 10}`;
  });
  return `M${points.join('L')}`;
}

const stateOf = { live: 'open', asked: 'connecting', waiting: 'waiting', refused: 'failed' };

function channels(): Part {
  const list = h('ul', { class: 'channels' });
  const none = h('p', { class: 'none' }, 'None in use.');
  const rows = new Keyed<ChannelFacts>(
    list,
    ({ name, pattern }) => `${pattern} ${name}`,
    () =>
      h(
        'li',
        {},
        h('span', { class: 'dot', 'aria-hidden': 'true' }),
        h('span', { class: 'name' }),
        h('span', { class: 'mono' }),
        h('span', { class: 'where' }),
      ),
    (row, facts) => {
      const [, name, offset, where] = row.children;
      set(row, { 'data-state': stateOf[facts.status], title: facts.name });
      if (name) say(name, facts.name);
      if (offset) say(offset, facts.offset === undefined ? '' : `#${facts.offset}`);
      if (where) say(where, whatIs(facts));
    },
  );
  return {
    element: h('section', { 'aria-label': 'Channels' }, h('h2', {}, 'Channels'), list, none),
    show(recorder) {
      rows.show(recorder.channels);
      none.hidden = recorder.channels.length > 0;
    },
  };
}

function whatIs({ status, code, messages, lost, members, pattern }: ChannelFacts): string {
  const words = [status === 'refused' ? `refused: ${code}` : status];
  if (pattern) words.push('pattern');
  if (messages > 0) words.push(plural(messages, 'message'));
  if (members !== undefined) words.push(`${members} present`);
  if (lost > 0) words.push(`${lost} lost`);
  return words.join(' · ');
}
