import Link from 'next/link';
import { Asked, type AskedProps } from '../../components/Asked';
import { type HookSpec, Probe } from '../../components/Probe';

/** Hooks given as JSON in the query are there from the first HTML on; others come by `show`. */
export default function ProbePage({ searchParams }: AskedProps) {
  return (
    <main>
      <Asked
        searchParams={searchParams}
        show={({ spec = '[]' }) => <Probe initial={JSON.parse(spec) as HookSpec[]} />}
      />
      <Link href="/away">away</Link>
    </main>
  );
}
