/** Patterns of channels: `*` is any run of characters, `?` one. docs/protocol.md section 3. */

const patternBytesMax = 255;

/** In its shortest form, `a**` as `a*` and `a*?` as `a?*`; undefined for what is no pattern. */
export function parsePattern(text: string): string | undefined {
  if (!isName(text, patternBytesMax)) return undefined;
  return text.replace(/[*?]*\*[*?]*/g, (run) => `${run.replaceAll('*', '')}*`);
}

/** 1 to `bytesMax` bytes of UTF-8 without control characters. */
export function isName(text: string, bytesMax = 255): boolean {
  const bytes = byteLength(text);
  if (bytes === 0 || bytes > bytesMax) return false;
  return ![...text].some((char) => char < ' ' || char === '\u007f');
}

export function matches(pattern: string, name: string): boolean {
  return covers(pattern, name, (wild, char) => wild === char || wild === '?');
}

/** Whether `wide` takes every name that `narrow` takes. */
export function includes(wide: string, narrow: string): boolean {
  return covers(wide, narrow, (wild, char) => wild === char || (wild === '?' && char !== '*'));
}

/**
 * The leftmost place where what stands between two stars fits is as good as any later one, so only
 * the search for the last star is ever taken up again.
 */
function covers(
  pattern: string,
  text: string,
  takes: (wild: string, char: string) => boolean,
): boolean {
  const wilds = [...pattern];
  const chars = [...text];
  let p = 0;
  let t = 0;
  let star = -1;
  let mark = 0;
  while (t < chars.length) {
    const wild = wilds[p];
    if (wild === '*') {
      star = p++;
      mark = t;
    } else if (wild !== undefined && takes(wild, chars[t] as string)) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (wilds[p] === '*') p++;
  return p === wilds.length;
}

const encoder: TextEncoder = /* @__PURE__ */ new TextEncoder();

export function byteLength(text: string): number {
  return encoder.encode(text).length;
}
