import { h } from './dom';

const token =
  /("(?:[^"\\]|\\.)*")(\s*:)?|\[[^\]"\n]*\]|-?\b\d[\w.+-]*|\btrue\b|\bfalse\b|\bnull\b/g;

/** Text that `describe` has made, with its parts in colours. */
export function colours(text: string): DocumentFragment {
  const fragment = document.createDocumentFragment();
  let at = 0;
  for (const match of text.matchAll(token)) {
    const [whole, quoted, colon] = match;
    // An empty list looks like a note.
    if (whole === '[]') continue;
    fragment.append(text.slice(at, match.index));
    at = match.index + whole.length;
    if (quoted === undefined) {
      fragment.append(h('span', { class: whole.startsWith('[') ? 'note' : 'value' }, whole));
    } else {
      fragment.append(h('span', { class: colon ? 'key' : 'text' }, quoted), colon ?? '');
    }
  }
  fragment.append(text.slice(at));
  return fragment;
}
