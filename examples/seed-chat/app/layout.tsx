import type { Metadata } from 'next';
import type { ReactNode } from 'react';

export const metadata: Metadata = {
  title: 'The seed’s chat on Anywire',
  description:
    'A hook and a component written for another server, unchanged, talking between tabs.',
};

export default function RootLayout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body style={{ font: '16px/1.5 system-ui, sans-serif', margin: '2rem' }}>{children}</body>
    </html>
  );
}
