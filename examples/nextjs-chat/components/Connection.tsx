'use client';

import { useEffect, useState } from 'react';
import type { Link } from '../lib/useRoom';
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

const isBack = (link: Link): boolean => link.wasOpen || link.attempt > 0;

function describe(link: Link): string {
  switch (link.state) {
    case 'open':
      return 'Online';
    case 'waiting':
      return 'Reconnecting';
    case 'offline':
      return 'Offline';
    case 'closed':
      return 'Disconnected';
    case 'failed':
      return 'Cannot connect';
    default:
      return isBack(link) ? 'Reconnecting' : 'Connecting';
  }
}

/** The state in a word. The countdown is for the eye only: read aloud each second it would nag. */
export function ConnectionPill({ link }: { link: Link }) {
  const seconds = useSecondsUntil(link.retryAt);
  const state = describe(link);
  const detail = link.state === 'waiting' && seconds > 0 ? ` in ${seconds} s` : '';
  const dots = detail === '' && state.endsWith('ing') ? '…' : '';
  return (
    <p className="pill" data-state={link.state}>
      <span className="lamp" aria-hidden="true" />
      <span role="status">{state}</span>
      <span className="detail" aria-hidden="true">
        {detail}
        {dots}
      </span>
    </p>
  );
}

/** Says what a broken link means for the person writing, and what they can do about it. */
export function ConnectionBanner({ link, waiting }: { link: Link; waiting: number }) {
  const seconds = useSecondsUntil(link.retryAt);
  const kept =
    waiting === 0 ? 'What you write is kept and sent as soon as you are back.' : keptText(waiting);
  if (link.state === 'offline') {
    return (
      <div className="banner" data-tone="warn" role="status">
        <Icon name="cloudOff" />
        <p>
          <strong>You are offline.</strong> {kept}
        </p>
      </div>
    );
  }
  if (link.state === 'failed' || link.state === 'closed') {
    return (
      <div className="banner" data-tone="bad" role="alert">
        <Icon name="alert" />
        <p>
          <strong>Not connected.</strong> {link.error ?? 'The server closed the connection.'}
        </p>
        <button type="button" onClick={link.reconnect}>
          Try again
        </button>
      </div>
    );
  }
  const trying = link.state === 'waiting' || (link.state === 'connecting' && isBack(link));
  if (!trying) return null;
  return (
    <div className="banner late" data-tone="warn" role="status">
      <Icon name="refresh" />
      <p>
        <strong>{link.wasOpen ? 'Connection lost.' : 'The server does not answer.'}</strong> {kept}{' '}
        <span aria-hidden="true">{seconds > 0 ? `Next try in ${seconds} s.` : 'Trying now…'}</span>
      </p>
      <button type="button" onClick={link.reconnect}>
        Try now
      </button>
    </div>
  );
}

const keptText = (waiting: number): string =>
  waiting === 1
    ? 'Your message is kept and goes out as soon as you are back.'
    : `Your ${waiting} messages are kept and go out as soon as you are back.`;
