import { Probe } from '../../../components/Probe';

export default function PageA() {
  return (
    <main>
      <h1>page a</h1>
      <Probe name="a" />
    </main>
  );
}
