// What browsers get of this package. All else has secrets in its hands, or speaks for a server: a
// client component that imports it fails in the build, which names what is missing.
export { HistoryBoundary, type PreloadedHistory } from '@anywire/react';
