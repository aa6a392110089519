import Link from 'next/link';

export default function NotFound() {
  return (
    <main className="blank">
      <h1>No such room</h1>
      <p>Rooms are named with letters, digits and dashes.</p>
      <Link className="button" href="/">
        To the lobby
      </Link>
    </main>
  );
}
