'use client';
import { useAnywire } from '@anywire/react';

export function SignOut({ onDone }: { onDone: () => void }) {
  const client = useAnywire();
  const signOut = async () => {
    await fetch('/api/sign-out', { method: 'POST' });
    await client.close('signed out'); // every hook shows `off`; others see us leave at once
    onDone();
  };
  return (
    <button type="button" onClick={signOut}>
      Sign out
    </button>
  );
}
