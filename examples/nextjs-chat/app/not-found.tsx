import Link from 'next/link';
import { Mark } from '../components/Icon';

export default function NotFound() {
  return (
    <main className="blank">
      <Mark />
      <h1>No such room</h1>
      <p>Rooms are named with letters, digits and dashes.</p>
      <Link className="button" href="/">
        To the lobby
      </Link>
    </main>
  );
}
