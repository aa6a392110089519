import { Probe } from '../../../components/Probe';

export default function PageB() {
  return (
    <main>
      <h1>page b</h1>
      <Probe name="b" />
    </main>
  );
}
