import { NativeProbe } from '../../components/native/NativeProbe';

/** Served with `connect-src 'self'`; see next.config.ts. */
export default function StrictPolicyPage() {
  return <NativeProbe />;
}
