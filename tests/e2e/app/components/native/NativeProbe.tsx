'use client';

// Mounts providers and hooks as a test asks for and writes down everything they say. It has no
// opinion: what is right and wrong is written in the scenarios.
import { websocket } from '@anywire/client';
import { poll, sse } from '@anywire/client/fallbacks';
import { msgpack } from '@anywire/client/msgpack';
import { AnywireProvider } from '@anywire/react';
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import { Hook } from './hooks';
import { NativeRecord } from './record';
import type { HookSpec, ProbeSpec, ProviderSpec } from './specs';

type Records = { [id: string]: NativeRecord };

export interface NativeHandle {
  /** Resolves when it is on the page, and what was there before has been cleaned up. */
  show(spec: ProbeSpec): Promise<void>;
  read(id: string): unknown;
  call(id: string, name: string, args: readonly unknown[]): Promise<unknown>;
  /** Like `call`, once per list of arguments and in one turn; outcomes are told, not waited for. */
  begin(id: string, name: string, lists: readonly (readonly unknown[])[]): void;
  /** When the browser said so, by performance.now(). */
  readonly network: { event: string; at: number }[];
}

declare global {
  interface Window {
    natives?: { [name: string]: NativeHandle };
  }
}

const transports = { websocket, sse, poll };

function Provided({ spec, children }: { spec: ProviderSpec; children: ReactNode }) {
  const { codec, transports: names, ...options } = spec;
  const parts = useMemo(
    () => ({
      ...(codec && { codec: msgpack() }),
      ...(names && { transports: names.map((name) => transports[name]()) }),
    }),
    [codec, names],
  );
  return (
    <AnywireProvider {...options} {...parts}>
      {children}
    </AnywireProvider>
  );
}

export function NativeProbe({
  name = 'main',
  initial = {},
}: {
  name?: string;
  initial?: ProbeSpec;
}) {
  const [spec, show] = useState(initial);
  const [records] = useState<Records>({});
  const [shown] = useState(() => new Set<() => void>());
  useEffect(() => {
    const network: NativeHandle['network'] = [];
    const note = (event: Event) => network.push({ event: event.type, at: performance.now() });
    window.addEventListener('online', note, true);
    window.addEventListener('offline', note, true);
    const handle: NativeHandle = {
      show: (next) =>
        new Promise((resolve) => {
          shown.add(resolve);
          show(next);
        }),
      network,
      read: (id) => records[id]?.read(),
      call: async (id, action, args) => records[id]?.call(action, args),
      begin: (id, action, lists) => {
        const record = records[id];
        for (const args of lists) {
          record?.call(action, args).then((outcome) => record.tell('outcome', outcome));
        }
      },
    };
    window.natives = { ...window.natives, [name]: handle };
    return () => {
      window.removeEventListener('online', note, true);
      window.removeEventListener('offline', note, true);
    };
  }, [name, records, shown]);
  // `spec` is why it runs: something else is on the page now.
  useEffect(() => {
    for (const done of shown) done();
    shown.clear();
  }, [spec, shown]);

  const { providers = {}, hooks = [] } = spec;
  const mounted = (provider: string | undefined) =>
    hooks
      .filter((hook) => hook.provider === provider)
      .map((hook) => <Kept key={hook.id} spec={hook} records={records} />);
  return (
    <section data-native={name}>
      {mounted(undefined)}
      {Object.entries(providers).map(([key, provider]) => (
        <Provided key={key} spec={provider}>
          {mounted(key)}
        </Provided>
      ))}
    </section>
  );
}

/** A hook that is mounted again goes on with the notes of the one before. */
function Kept({ spec, records }: { spec: HookSpec; records: Records }) {
  const record = useRef<NativeRecord>(undefined);
  record.current ??= records[spec.id] ?? new NativeRecord();
  const mine = record.current;
  useEffect(() => {
    records[spec.id] = mine;
  });
  return <Hook spec={spec} record={mine} />;
}
