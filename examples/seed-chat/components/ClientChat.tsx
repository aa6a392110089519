'use client';

// The seed's two files carry no "use client", and this example keeps them byte for byte. This
// boundary makes them client components without touching them.
export { default as ClientChat } from './Chat';
