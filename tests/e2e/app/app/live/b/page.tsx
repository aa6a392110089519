import { Greeting } from '../../../components/native/Greeting';
import { NativeProbe } from '../../../components/native/NativeProbe';

export default function PageB() {
  return (
    <main>
      <h1>page b</h1>
      <Greeting />
      <NativeProbe name="b" />
    </main>
  );
}
