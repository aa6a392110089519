import { Asked, type AskedProps } from '../../components/Asked';
import { SeedFlood } from '../../components/SeedFlood';

/** See flood-compare.mjs. */
export default function SeedPage({ searchParams }: AskedProps) {
  return <Asked searchParams={searchParams} show={({ url = '' }) => <SeedFlood url={url} />} />;
}
