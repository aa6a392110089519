import { Suspense } from 'react';
import { SeedFlood } from '../../components/SeedFlood';

interface Props {
  readonly searchParams: Promise<{ url?: string }>;
}

export default function SeedPage({ searchParams }: Props) {
  return (
    <Suspense fallback={<p>…</p>}>
      <FromQuery searchParams={searchParams} />
    </Suspense>
  );
}

async function FromQuery({ searchParams }: Props) {
  const { url = '' } = await searchParams;
  return <SeedFlood url={url} />;
}
