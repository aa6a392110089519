'use client';

import type { ConnectionState } from '@anywire/react';
import { type ReactNode, useEffect, useState } from 'react';
import { describeState, describeTransport, isBack, keptText } from '../lib/connection';
import { Icon } from './Icon';

/** Whole seconds until a moment on the clock, counting down. */
function useSecondsUntil(moment: number | undefined): number {
  const [now, setNow] = useState(0);
  useEffect(() => {
    if (moment === undefined) return;
    const tick = () => setNow(Date.now());
    tick();
    const timer = setInterval(tick, 250);
    return () => clearInterval(timer);
  }, [moment]);
  return moment === undefined || now === 0 ? 0 : Math.max(0, Math.ceil((moment - now) / 1000));
}

interface Props {
  readonly link: ConnectionState;
  /** It has been open since the page was loaded. */
  readonly wasOpen: boolean;
}

/** The state in a word. The countdown is for the eye only: read aloud each second it would nag. */
export function ConnectionPill({ link, wasOpen }: Props) {
  const seconds = useSecondsUntil(link.retryAt);
  const state = describeState(link, wasOpen);
  const transport = link.connected ? describeTransport(link.transport) : '';
  const count = link.state === 'waiting' && seconds > 0 ? ` in ${seconds} s` : '';
  const dots = count === '' && state.endsWith('ing') ? '…' : '';
  return (
    <p className="pill" data-state={link.state} title={link.transport && `over ${link.transport}`}>
      <span className="lamp" aria-hidden="true" />
      <span role="status">{state}</span>
      <span className="detail" aria-hidden="true">
        {count}
        {dots}
      </span>
      {transport && <span className="detail"> · {transport}</span>}
    </p>
  );
}

/** Says what a broken link means for the person writing, and what they can do about it. */
export function ConnectionBanner({
  link,
  wasOpen,
  refused,
  waiting,
}: Props & {
  /** Why the server does not let us into this room. */
  readonly refused: string | undefined;
  /** Messages that have not gone out yet. */
  readonly waiting: number;
}) {
  const seconds = useSecondsUntil(link.retryAt);
  if (link.state === 'offline') {
    return (
      <Banner tone="warn" icon="cloudOff">
        <strong>You are offline.</strong> {keptText(waiting)}
      </Banner>
    );
  }
  if (link.state === 'failed' || link.state === 'closed') {
    const why = link.error?.message ?? 'The server closed the connection.';
    return (
      <Banner tone="bad" icon="alert" action="Try again" onAction={link.reconnect}>
        <strong>Not connected.</strong> {why}
      </Banner>
    );
  }
  if (link.connected && refused !== undefined) {
    return (
      <Banner tone="bad" icon="alert">
        <strong>No way into this room.</strong> {refused}
      </Banner>
    );
  }
  const trying = link.state === 'waiting' || (link.state === 'connecting' && isBack(link, wasOpen));
  if (!trying) return null;
  return (
    <Banner tone="warn" icon="refresh" late action="Try now" onAction={link.reconnect}>
      <strong>{wasOpen ? 'Connection lost.' : 'The server does not answer.'}</strong>{' '}
      {keptText(waiting)}{' '}
      <span aria-hidden="true">{seconds > 0 ? `Next try in ${seconds} s.` : 'Trying now…'}</span>
    </Banner>
  );
}

function Banner(props: {
  readonly tone: 'warn' | 'bad';
  readonly icon: Parameters<typeof Icon>[0]['name'];
  /** A blip that heals at once is not worth a word. */
  readonly late?: boolean;
  readonly action?: string;
  readonly onAction?: () => void;
  readonly children: ReactNode;
}) {
  const { tone, icon, late = false, action, onAction, children } = props;
  return (
    <div
      className={late ? 'banner late' : 'banner'}
      data-tone={tone}
      role={tone === 'bad' ? 'alert' : 'status'}
    >
      <Icon name={icon} />
      <p>{children}</p>
      {action && (
        <button type="button" onClick={onAction}>
          {action}
        </button>
      )}
    </div>
  );
}
