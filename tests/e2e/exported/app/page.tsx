import Link from 'next/link';
import { Room } from '../components/Room';

export default function Home() {
  return (
    <main>
      <h1>home</h1>
      <Room />
      <Link href="/about">to about</Link>
    </main>
  );
}
