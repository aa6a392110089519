import { mintToken, preloadHistory } from '@anywire/next';

/** Says whether two questions in one request were one to the server. */
export default async function Page() {
  const token = () => mintToken({ user: 'page', capability: { 'room:*': ['history'] } });
  const ask = () => preloadHistory('room:1', { token });
  const [one, two] = await Promise.all([ask(), ask()]);
  return <p id="same">{String(one.messages === two.messages && one.messages.length > 0)}</p>;
}
