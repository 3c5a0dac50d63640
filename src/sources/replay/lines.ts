/** Longest line that is looked at, in characters; longer ones arrive cut to one more than that. */
export const MAX_LINE = 1 << 20;

/**
 * The lines of a UTF-8 text as they become complete: one array a chunk that completes any. Line ends are LF or CRLF; a
 * byte order mark is taken off. At most one chunk and one line are held, however long the text is.
 */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string[]> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const text = decoder.decode(chunk, { stream: true });
    let end = text.indexOf('\n');
    if (end < 0) {
      rest = cut(rest + text);
      continue;
    }
    const lines = [lineOf(rest + text.slice(0, end))];
    let start = end + 1;
    while ((end = text.indexOf('\n', start)) >= 0) {
      lines.push(lineOf(text.slice(start, end)));
      start = end + 1;
    }
    rest = cut(text.slice(start));
    yield lines;
  }
  rest += decoder.decode();
  if (rest !== '') yield [lineOf(rest)];
}

const cut = (text: string): string => (text.length > MAX_LINE ? text.slice(0, MAX_LINE + 1) : text);

const lineOf = (text: string): string => cut(text.endsWith('\r') ? text.slice(0, -1) : text);
