'use client';
import { useConnectionState } from '@anywire/react';

export function ReconnectBanner() {
  const { state, attempt, reconnect } = useConnectionState();
  if (state === 'offline') return <p role="status">You are offline.</p>;
  if (state !== 'waiting' || attempt === 0) return null;
  return (
    <p role="status">
      Reconnecting (attempt {attempt})…{' '}
      <button type="button" onClick={reconnect}>
        Try now
      </button>
    </p>
  );
}
