import type { Metadata, Viewport } from 'next';
import type { ReactNode } from 'react';
import './styles/base.css';
import './styles/frame.css';
import './styles/conversation.css';
import './styles/account.css';
import './styles/phone.css';

export const metadata: Metadata = {
  title: { default: 'Anywire chat', template: '%s · Anywire chat' },
  description: 'A realtime chat on Next.js, React and one small binary. Open it in two tabs.',
};

export const viewport: Viewport = {
  width: 'device-width',
  initialScale: 1,
  interactiveWidget: 'resizes-content',
  themeColor: [
    { media: '(prefers-color-scheme: light)', color: '#f5f5fa' },
    { media: '(prefers-color-scheme: dark)', color: '#0f1017' },
  ],
};

export default function RootLayout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  );
}
