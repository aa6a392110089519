import Link from 'next/link';
import type { ReactNode } from 'react';
import { Live } from '../../components/native/Live';
import { NativeProbe } from '../../components/native/NativeProbe';

/** One provider above all pages, as an application has it. */
export default function LiveLayout({ children }: { children: ReactNode }) {
  return (
    <Live>
      <NativeProbe name="layout" />
      <nav>
        <Link href="/live/a">to a</Link> <Link href="/live/b">to b</Link>
      </nav>
      {children}
    </Live>
  );
}
