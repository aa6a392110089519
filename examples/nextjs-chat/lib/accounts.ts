/** The people who can sign in here. A real application asks its database, or whom it trusts with it. */

import type { Author } from './contract';

export const kAccounts: readonly Author[] = [
  { id: 'ada', name: 'Ada', hue: 265 },
  { id: 'grace', name: 'Grace', hue: 160 },
  { id: 'linus', name: 'Linus', hue: 25 },
];

export const accountOf = (id: unknown): Author | undefined =>
  kAccounts.find((account) => account.id === id);
