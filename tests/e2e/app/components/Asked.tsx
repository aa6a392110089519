import { type ReactNode, Suspense } from 'react';

type Query = Readonly<Record<string, string | undefined>>;

export interface AskedProps {
  readonly searchParams: Promise<Query>;
}

/** What the query of a page asks for, there from the server's HTML on. */
export function Asked({
  searchParams,
  show,
}: AskedProps & { readonly show: (query: Query) => ReactNode }) {
  return (
    <Suspense fallback={<p>…</p>}>
      <Answer searchParams={searchParams} show={show} />
    </Suspense>
  );
}

async function Answer({ searchParams, show }: Parameters<typeof Asked>[0]) {
  return show(await searchParams);
}
