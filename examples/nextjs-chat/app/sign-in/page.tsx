import type { Metadata } from 'next';
import Link from 'next/link';
import { connection } from 'next/server';
import { Avatar } from '../../components/Avatar';
import { Mark } from '../../components/Icon';
import { kAccounts } from '../../lib/accounts';
import { signIn } from '../../lib/actions';
import { canSignIn } from '../../lib/session';

export const metadata: Metadata = { title: 'Sign in' };

/** One click is enough where anybody may try. */
export default async function SignInPage() {
  // Whether it can be done is known when it runs, and not when it is built.
  await connection();
  if (!canSignIn()) {
    return (
      <main className="blank">
        <Mark />
        <h1>Nobody can sign in here</h1>
        <p>This server has no secrets: see SESSION_SECRET and ANYWIRE_SECRET in the README.</p>
        <Link className="button" href="/">
          To the lobby
        </Link>
      </main>
    );
  }
  return (
    <main className="blank">
      <Mark />
      <h1>Who are you?</h1>
      <p>Nobody asks for a password in an example.</p>
      <form action={signIn} className="accounts">
        {kAccounts.map((account) => (
          <button key={account.id} type="submit" name="account" value={account.id}>
            <Avatar author={account} />
            {account.name}
          </button>
        ))}
      </form>
      <Link className="button" href="/">
        Stay a guest
      </Link>
    </main>
  );
}
