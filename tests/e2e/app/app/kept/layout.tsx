import Link from 'next/link';
import type { ReactNode } from 'react';
import { Probe } from '../../components/Probe';

/** A hook in the layout outlives the pages below it. */
export default function KeptLayout({ children }: { children: ReactNode }) {
  return (
    <>
      <Probe name="layout" />
      <nav>
        <Link href="/kept/a">to a</Link> <Link href="/kept/b">to b</Link>
      </nav>
      {children}
    </>
  );
}
