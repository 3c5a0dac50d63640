const MAX_TEXTS = 100_000;

/**
 * Gives the same string object for the same text: names repeat in every line, and a piece cut out of a chunk would keep
 * the whole chunk in memory. Remembers at most 100 000 texts. A text that `accepts` refuses becomes ''.
 */
export function interner(accepts: (text: string) => boolean): (text: string) => string {
  const known = new Map<string, string>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    if (!accepts(text)) return '';
    if (known.size >= MAX_TEXTS) known.clear();
    const own = Buffer.from(text).toString();
    known.set(own, own);
    return own;
  };
}
