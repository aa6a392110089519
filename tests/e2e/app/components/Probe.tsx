'use client';

// Mounts hooks as a test asks for and writes down everything they say, for the test to read. It has
// no opinion: what is right and wrong is written in the scenarios.
import { useWebSocket, type WsOptions, type WsResult } from '@anywire/react';
import { useEffect, useInsertionEffect, useRef, useState } from 'react';

export interface HookSpec {
  readonly id: string;
  readonly url: string | null;
  readonly options?: Pick<
    WsOptions,
    'limit' | 'share' | 'linger' | 'queue' | 'heartbeat' | 'backoff'
  >;
  /** Draw the list, as a page would. */
  readonly list?: boolean;
  /** Sent by the component's own effect, on mount: before any link can be open. */
  readonly hello?: readonly string[];
  /** Count messages only, for floods. */
  readonly countOnly?: boolean;
}

type Result = WsResult<unknown>;

/** What one hook said so far. */
export class Record {
  renders = 0;
  seen = 0;
  disordered = 0;
  lastNumber = -1;
  doneAt = 0;
  messages: unknown[] = [];
  log: { at: number; state: string; connected: boolean }[] = [];
  drops: { reason: string; count: number }[] = [];
  gaps: unknown[] = [];
  sends: boolean[] = [];
  result: Result | undefined;

  receive(message: unknown, countOnly: boolean): void {
    this.seen++;
    if (!countOnly) this.messages.push(message);
    const { n } = (typeof message === 'object' && message ? message : {}) as { n?: unknown };
    if (typeof n !== 'number') return;
    if (n !== this.lastNumber + 1) this.disordered++;
    this.lastNumber = n;
    this.doneAt = performance.now();
  }
}

export interface ProbeHandle {
  show(specs: readonly HookSpec[]): void;
  readonly hooks: { [id: string]: Record };
  /** When the browser said so, by performance.now(). */
  readonly network: { event: string; at: number }[];
}

declare global {
  interface Window {
    probes?: { [name: string]: ProbeHandle };
  }
}

export function Probe({
  name = 'main',
  initial = [],
}: {
  name?: string;
  initial?: readonly HookSpec[];
}) {
  const [specs, show] = useState(initial);
  const hooks = useRef<{ [id: string]: Record }>({});
  useEffect(() => {
    const network: ProbeHandle['network'] = [];
    const note = (event: Event) => network.push({ event: event.type, at: performance.now() });
    window.addEventListener('online', note, true);
    window.addEventListener('offline', note, true);
    window.probes = { ...window.probes, [name]: { show, network, hooks: hooks.current } };
    return () => {
      window.removeEventListener('online', note, true);
      window.removeEventListener('offline', note, true);
    };
  }, [name]);
  return (
    <section data-probe={name}>
      {specs.map((spec) => (
        <Hook key={spec.id} spec={spec} records={hooks.current} />
      ))}
    </section>
  );
}

function Hook({ spec, records }: { spec: HookSpec; records: { [id: string]: Record } }) {
  const { id, url, options, hello = [], countOnly = false, list = false } = spec;
  const record = useRef<Record>(undefined);
  record.current ??= records[id] ?? new Record();
  const mine = record.current;
  const result = useWebSocket<unknown>(url, {
    ...options,
    onMessage: (message) => mine.receive(message, countOnly),
    onDrop: ({ reason, count }) => mine.drops.push({ reason, count }),
    onGap: (gap) => mine.gaps.push(gap),
  });
  const { state, connected, messages, send } = result;

  useInsertionEffect(() => {
    records[id] = mine;
    mine.renders++;
    mine.result = result;
  });
  useEffect(() => {
    mine.log.push({ at: performance.now(), state, connected });
  }, [mine, state, connected]);
  const greeted = useRef(false);
  useEffect(() => {
    if (greeted.current) return;
    greeted.current = true;
    for (const text of hello) mine.sends.push(send(text));
  });

  return (
    <article data-hook={id}>
      <p data-state={state}>{connected ? 'connected' : 'not connected'}</p>
      {list && (
        <ul>
          {messages.map((message, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a test page; the text is all there is.
            <li key={place}>{JSON.stringify(message)}</li>
          ))}
        </ul>
      )}
    </article>
  );
}
