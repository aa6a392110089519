'use client';

import { useWebSocket } from '@anywire/react';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { newId } from './identity';
import { type Author, type Message, parseMessage } from './message';
import { roomUrl } from './rooms';
import { type Break, type Entry, timeline } from './timeline';

const kMessagesMax = 500;
const kBreaksMax = 20;
/** A room answers a message with the message itself; when it has not by then, ask the person. */
const kConfirmMs = 6000;

/** What the page shows about the connection. */
export interface Link {
  readonly state: string;
  readonly connected: boolean;
  readonly attempt: number;
  /** When the next try is due, by Date.now(). */
  readonly retryAt: number | undefined;
  readonly wasOpen: boolean;
  readonly error: string | undefined;
  readonly reconnect: () => void;
}

/** A message of mine that has not come back from the room yet. */
export interface Outgoing {
  readonly message: Message;
  readonly failed: boolean;
}

export interface Room {
  readonly link: Link;
  readonly messages: readonly Message[];
  readonly entries: readonly Entry[];
  readonly outgoing: readonly Outgoing[];
  /** False: not taken, keep the text. */
  readonly say: (text: string) => boolean;
  readonly retry: (id: string) => void;
  readonly discard: (id: string) => void;
}

/** One room: its connection, its messages, and mine that are still on their way. */
export function useRoom(server: string, room: string, me: Author | undefined): Room {
  const [outbox, setOutbox] = useState<readonly Outgoing[]>([]);
  const [breaks, setBreaks] = useState<readonly Break[]>([]);
  const lastId = useRef<string>(undefined);
  const arrived = useRef(new Set<string>());

  const socket = useWebSocket<Message | undefined, Message>(roomUrl(server, room), {
    limit: kMessagesMax,
    heartbeat: { interval: 15_000, timeout: 6000 },
    queue: { max: 100, bytes: 256 * 1024, ttl: 60 * 60_000 },
    parse: (data) => (typeof data === 'string' ? readMessage(data) : undefined),
    select: (message) => message,
    onMessage: (message) => {
      if (!message) return;
      lastId.current = message.id;
      if (message.from.id === me?.id) arrived.current.add(message.id);
    },
    onDrop: (drop) => {
      const lost = typeof drop.data === 'string' ? readMessage(drop.data)?.id : undefined;
      if (lost)
        setOutbox((all) =>
          all.map((one) => (one.message.id === lost ? { ...one, failed: true } : one)),
        );
    },
    onGap: (gap) => {
      // Nothing was on the screen, so nothing can be missing from it.
      if (lastId.current === undefined) return;
      const after = lastId.current;
      setBreaks((all) => [...all.slice(1 - kBreaksMax), { ...gap, after }]);
    },
  });
  const { messages, connected, state, send } = socket;

  const outgoing = useMemo(() => {
    const here = new Set(messages.map((message) => message.id));
    return outbox.filter((one) => !here.has(one.message.id));
  }, [outbox, messages]);

  // Forget what has come back. `messages` is only the bell: it rings after every arrival.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above.
  useEffect(() => {
    if (arrived.current.size === 0) return;
    const done = arrived.current;
    arrived.current = new Set();
    setOutbox((all) => all.filter((one) => !done.has(one.message.id)));
  }, [messages]);

  const oldest = outgoing.find((one) => !one.failed)?.message.id;
  useEffect(() => {
    if (!connected || oldest === undefined) return;
    const fail = () =>
      setOutbox((all) =>
        all.map((one) => (one.message.id === oldest ? { ...one, failed: true } : one)),
      );
    const timer = setTimeout(fail, kConfirmMs);
    return () => clearTimeout(timer);
  }, [connected, oldest]);

  const say = useCallback(
    (text: string): boolean => {
      if (!me) return false;
      const message: Message = { id: newId(), from: me, text, at: Date.now() };
      if (!send(message)) return false;
      setOutbox((all) => [...all, { message, failed: false }]);
      return true;
    },
    [me, send],
  );

  const retry = useCallback(
    (id: string) => {
      const one = outbox.find((candidate) => candidate.message.id === id);
      // The same id again: whoever has the message already will not show it twice.
      if (!one || !send(one.message)) return;
      setOutbox((all) => all.map((other) => (other === one ? { ...one, failed: false } : other)));
    },
    [outbox, send],
  );

  const discard = useCallback((id: string) => {
    setOutbox((all) => all.filter((one) => one.message.id !== id));
  }, []);

  const [wasOpen, setWasOpen] = useState(false);
  if (connected && !wasOpen) setWasOpen(true);
  const link: Link = {
    state,
    connected,
    wasOpen,
    attempt: socket.attempt,
    retryAt: socket.retryAt,
    error: socket.error?.message,
    reconnect: socket.reconnect,
  };
  const entries = useMemo(() => timeline(messages, breaks), [messages, breaks]);
  return { link, messages, entries, outgoing, say, retry, discard };
}

/** A guest's message has neither id nor time; it gets both here, once, when it arrives. */
function readMessage(data: string): Message | undefined {
  let value: unknown = data;
  try {
    value = JSON.parse(data);
  } catch {
    // Plain text from a terminal.
  }
  return parseMessage(value, { id: newId(), at: Date.now() });
}
