import { Asked, type AskedProps } from '../../components/Asked';
import { gateOf } from '../../components/gate';

async function Late({ name }: { name: string }) {
  await gateOf(name).passed;
  return <p>all of it</p>;
}

/** Its beginning is sent at once, and the rest when the gate of its key is opened. */
export default function StreamedPage({ searchParams }: AskedProps) {
  return (
    <main>
      <h1>the beginning</h1>
      <Asked searchParams={searchParams} show={({ key }) => key && <Late name={key} />} />
    </main>
  );
}
