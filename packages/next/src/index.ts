// Read by Next.js's servers. Browsers get browser.ts in its place: see "exports" in package.json.
export { HistoryBoundary } from '@anywire/react';
export {
  type Algorithm,
  type Capability,
  type Claims,
  type Minted,
  mintToken,
  type Operation,
  type SigningOptions,
} from '@anywire/server';
export { anywireHooks, type HooksRoute } from './hooks';
export { type PreloadedHistory, type PreloadOptions, preloadHistory } from './preload';
export type { OriginOptions } from './token/origin';
export { anywireToken, type Grant, type TokenRoute, type TokenRouteOptions } from './token/route';
