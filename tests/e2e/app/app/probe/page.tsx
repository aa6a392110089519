import Link from 'next/link';
import { Suspense } from 'react';
import { type HookSpec, Probe } from '../../components/Probe';

interface Props {
  readonly searchParams: Promise<{ spec?: string }>;
}

/** Hooks given as JSON in the query are there from the server's HTML on; others come by `show`. */
export default function ProbePage({ searchParams }: Props) {
  return (
    <main>
      <Suspense fallback={<p>…</p>}>
        <FromQuery searchParams={searchParams} />
      </Suspense>
      <Link href="/away">away</Link>
    </main>
  );
}

async function FromQuery({ searchParams }: Props) {
  const { spec = '[]' } = await searchParams;
  return <Probe initial={JSON.parse(spec) as HookSpec[]} />;
}
