import { Suspense } from 'react';
import { NativeProbe } from '../../components/native/NativeProbe';
import { publish } from './actions';

interface Props {
  readonly searchParams: Promise<Readonly<Record<'channel' | 'id' | 'n', string>>>;
}

/** A form that works without scripts, too; the probe tells when it has them. */
export default function ServerSidePage({ searchParams }: Props) {
  return (
    <Suspense fallback={<p>…</p>}>
      <PublishForm searchParams={searchParams} />
    </Suspense>
  );
}

async function PublishForm({ searchParams }: Props) {
  const fields = await searchParams;
  return (
    <form action={publish}>
      {Object.entries(fields).map(([name, value]) => (
        <input key={name} type="hidden" name={name} value={value} />
      ))}
      <button type="submit">Publish</button>
      <NativeProbe />
    </form>
  );
}
