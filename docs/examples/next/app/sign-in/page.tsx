import { redirect } from 'next/navigation';
import { signIn } from '@/lib/session';

async function enter(form: FormData) {
  'use server';
  const name = String(form.get('name')).trim().slice(0, 40);
  if (name === '') return;
  await signIn(name);
  redirect('/');
}

export default function SignIn() {
  return (
    <form action={enter}>
      <label>
        Your name <input name="name" required maxLength={40} />
      </label>
      <button type="submit">Enter</button>
    </form>
  );
}
