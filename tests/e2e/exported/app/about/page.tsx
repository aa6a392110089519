import Link from 'next/link';

export default function About() {
  return (
    <main>
      <h1>about</h1>
      <Link href="/">to home</Link>
    </main>
  );
}
