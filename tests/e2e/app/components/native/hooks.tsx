'use client';

// One component for each hook: it passes on what the test asked for and writes down what is said.
import {
  useAnywire,
  useChannel,
  useChannelEvent,
  useConnectionState,
  useHistory,
  useLatest,
  useOptimisticPublish,
  usePresence,
  useRpc,
} from '@anywire/react';
import { useChannel as useSuspendingChannel } from '@anywire/react/suspense';
import { Component, type ReactNode, Suspense, useEffect, useInsertionEffect, useRef } from 'react';
import { contract } from './contract';
import type { NativeRecord } from './record';
import type { HookKind, HookSpec } from './specs';

export interface HookProps {
  readonly spec: HookSpec;
  readonly record: NativeRecord;
}

type Result = NativeRecord['result'];

/** Writes down a render, what the hook returned, and when what a person sees has changed. */
function useNotes(record: NativeRecord, result: Result, status: unknown): void {
  useInsertionEffect(() => {
    record.renders++;
    record.result = result;
  });
  useEffect(() => {
    record.log.push({ at: performance.now(), status });
  }, [record, status]);
}

/** Contract names come as a new ref in every render, as an application would write it. */
function target({ channel = null, checked }: HookSpec) {
  return channel && checked ? contract.channel(channel as `typed:${string}`) : channel;
}

function listeners(record: NativeRecord) {
  return {
    onGap: (gap: unknown) => record.tell('gap', gap),
    onRecovered: (info: unknown) => record.tell('recovered', info),
    onError: (error: unknown) => record.tell('error', error),
  };
}

/** What is given is set, and nothing else: the types know no `undefined`. */
function given<K extends keyof HookSpec>(spec: HookSpec, ...names: K[]) {
  return Object.fromEntries(
    names.filter((name) => spec[name] !== undefined).map((name) => [name, spec[name]]),
  ) as { [Name in K]?: NonNullable<HookSpec[Name]> };
}

function List({ items, spec }: { items: readonly { offset?: number }[]; spec: HookSpec }) {
  if (!spec.list) return null;
  return (
    <ul>
      {items.map((item, place) => (
        <li key={item.offset ?? `pending ${place}`}>{JSON.stringify(item)}</li>
      ))}
    </ul>
  );
}

function StateHook({ record }: HookProps) {
  const state = useConnectionState();
  const client = useAnywire();
  useNotes(record, { ...state, close: () => client.close() }, state.state);
  return <p data-state={state.state} />;
}

function ChannelHook({ spec, record }: HookProps) {
  const result = useChannel(target(spec) as string | null, {
    ...given(spec, 'limit', 'rewind', 'own'),
    ...listeners(record),
    onMessage: (message) => record.receive(message, spec.countOnly),
  });
  useNotes(record, result as unknown as Result, result.status);
  const { publish } = result;
  const greeted = useRef(false);
  useEffect(() => {
    if (greeted.current) return;
    greeted.current = true;
    for (const data of spec.hello ?? []) {
      publish(data).then(
        (position) => record.tell('published', position),
        (error) => record.tell('refused', error),
      );
    }
  });
  return (
    <>
      <p data-status={result.status} />
      <List items={result.messages} spec={spec} />
    </>
  );
}

function EventHook({ spec, record }: HookProps) {
  useChannelEvent(target(spec) as string | null, (message) =>
    record.receive(message, spec.countOnly),
  );
  useNotes(record, {}, 'mounted');
  return null;
}

function LatestHook({ spec, record }: HookProps) {
  const latest = useLatest(
    target(spec) as string | null,
    (message: { data: unknown }) => (message.data as { n?: number }).n,
  );
  useNotes(record, { latest }, latest);
  return <output>{latest}</output>;
}

function PresenceHook({ spec, record }: HookProps) {
  const me = spec.me && { ...spec.me };
  const result = usePresence(target(spec) as string | null, me);
  useNotes(record, result as unknown as Result, result.status);
  return <p data-count={result.count} data-status={result.status} />;
}

function HistoryHook({ spec, record }: HookProps) {
  const result = useHistory(target(spec) as string | null, {
    ...given(spec, 'limit', 'pageSize'),
    onGap: (gap: unknown) => record.tell('gap', gap),
  });
  useNotes(record, result as unknown as Result, result.status);
  return (
    <>
      <p data-status={result.status} />
      <List items={result.messages} spec={spec} />
    </>
  );
}

function OptimisticHook({ spec, record }: HookProps) {
  const result = useOptimisticPublish(target(spec) as string | null, given(spec, 'pageSize'));
  useNotes(record, result as unknown as Result, result.status);
  return <List items={result.messages} spec={spec} />;
}

function RpcHook({ spec, record }: HookProps) {
  const { method = '', checked } = spec;
  const result = useRpc((checked ? contract.rpc(method as 'math.add') : method) as string);
  useNotes(record, result as unknown as Result, result.isPending);
  return null;
}

class Boundary extends Component<{ children: ReactNode }, { error?: Error }> {
  override state: { error?: Error } = {};

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    return error ? <p role="alert">{(error as { code?: string }).code}</p> : this.props.children;
  }
}

function SuspendingHook({ spec, record }: HookProps) {
  const result = useSuspendingChannel(target(spec) as string | null, {
    onMessage: (message) => record.receive(message),
  });
  useNotes(record, result as unknown as Result, result.status);
  return <p data-status={result.status} />;
}

function SuspenseHook(props: HookProps) {
  return (
    <Boundary>
      <Suspense fallback={<p>…</p>}>
        <SuspendingHook {...props} />
      </Suspense>
    </Boundary>
  );
}

const kinds: { readonly [Kind in HookKind]: (props: HookProps) => ReactNode } = {
  state: StateHook,
  channel: ChannelHook,
  event: EventHook,
  latest: LatestHook,
  presence: PresenceHook,
  history: HistoryHook,
  optimistic: OptimisticHook,
  rpc: RpcHook,
  suspense: SuspenseHook,
};

export function Hook(props: HookProps) {
  const Kind = kinds[props.spec.kind];
  return (
    <article data-hook={props.spec.id}>
      <Kind {...props} />
    </article>
  );
}
