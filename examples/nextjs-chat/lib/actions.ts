'use server';

import { type ApiError, createApi } from '@anywire/server';
import { redirect } from 'next/navigation';
import { accountOf } from './accounts';
import { canSignIn, clearSession, currentAccount, setSession } from './session';

const kApi = createApi({ timeout: 3000 });

export async function signIn(form: FormData): Promise<void> {
  const account = accountOf(form.get('account'));
  if (!account || !canSignIn()) redirect('/sign-in');
  await setSession(account);
  redirect('/');
}

/** Ends every connection of this person; other devices come back by their own cookies. */
export async function signOut(): Promise<void> {
  const account = await currentAccount();
  await clearSession();
  if (account) {
    await kApi.revoke({ user: account.id }).catch(({ code, message }: ApiError) => {
      // Tokens live for minutes: whoever cannot be told now is out by then.
      console.error(`[chat] ${account.id} is signed out, but not everywhere yet: ${code}: ${message}`);
    });
  }
  redirect('/');
}
