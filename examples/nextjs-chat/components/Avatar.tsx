import type { CSSProperties } from 'react';
import type { Author } from '../lib/contract';

/** A person's colour as a custom property, so that the style sheet decides the shades. */
export const hueStyle = (hue: number): CSSProperties => ({ '--hue': hue }) as CSSProperties;

const initials = (name: string): string => {
  const words = name.split(/\s+/);
  const picked = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return picked
    .map((word) => Array.from(word ?? '')[0] ?? '')
    .join('')
    .toUpperCase();
};

/** Decoration: the name always stands beside it. */
export function Avatar({ author, small = false }: { author: Author; small?: boolean }) {
  return (
    <span
      className={small ? 'avatar small' : 'avatar'}
      style={hueStyle(author.hue)}
      aria-hidden="true"
    >
      {initials(author.name)}
    </span>
  );
}
