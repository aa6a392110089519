import { Greeting } from '../../../components/native/Greeting';
import { NativeProbe } from '../../../components/native/NativeProbe';

export default function PageA() {
  return (
    <main>
      <h1>page a</h1>
      <Greeting />
      <NativeProbe name="a" />
    </main>
  );
}
