import { Asked, type AskedProps } from '../../components/Asked';
import { RuwFlood } from '../../components/RuwFlood';

/** See flood-compare.mjs. */
export default function ComparePage({ searchParams }: AskedProps) {
  return <Asked searchParams={searchParams} show={({ url = '' }) => <RuwFlood url={url} />} />;
}
