/** Longest line that is looked at, in characters; longer ones arrive cut to one more than that. */
export const MAX_LINE = 1 << 20;

/**
 * The lines of a UTF-8 text as they become complete: one array a chunk that completes any. Line ends are LF or CRLF; a
 * byte order mark is taken off. A line with bytes that are no UTF-8 has a lone surrogate in their place, see `isUtf8`. At most one chunk and one line are held, however long the text is.
 */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string[]> {
  const decoder = new TextDecoder();
  let carry = Buffer.alloc(0);
  let rest = '';
  for await (const chunk of chunks) {
    const decoded = decoder.decode(chunk, { stream: true });
    const text = decoded.includes(REPLACEMENT) ? marked(decoded, Buffer.concat([carry, chunk])) : decoded;
    carry = begunReplacement(Buffer.concat([carry, chunk.subarray(-2)]));
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
  rest += decoder.decode().replaceAll(REPLACEMENT, NO_UTF8);
  if (rest !== '') yield [lineOf(rest)];
}

const REPLACEMENT = '\uFFFD';
/** What no text in UTF-8 decodes to. */
const NO_UTF8 = '\uD800';
const REPLACEMENT_BYTES = Buffer.from(REPLACEMENT);

/** Whether the line, from `readLines`, was UTF-8. */
export const isUtf8 = (line: string): boolean => line.isWellFormed();

/** The decoder puts U+FFFD where bytes are invalid, but it may be what was written: then its bytes are there. */
function marked(text: string, bytes: Buffer): string {
  let start = 0;
  const lines = text.split('\n').map((line) => {
    const end = bytes.indexOf(0x0a, start);
    const own = bytes.subarray(start, end < 0 ? bytes.length : end);
    start = end < 0 ? bytes.length : end + 1;
    let written = 0;
    for (let at = own.indexOf(REPLACEMENT_BYTES); at >= 0; at = own.indexOf(REPLACEMENT_BYTES, at + 3))
      written += 1;
    return line.split(REPLACEMENT).length - 1 > written ? line.replaceAll(REPLACEMENT, NO_UTF8) : line;
  });
  return lines.join('\n');
}

/** The first one or two bytes of a U+FFFD, where the bytes end with them. */
function begunReplacement(bytes: Buffer): Buffer<ArrayBuffer> {
  const length = [2, 1].find((count) => bytes.subarray(-count).equals(REPLACEMENT_BYTES.subarray(0, count)));
  return Buffer.from(bytes.subarray(bytes.length - (length ?? 0)));
}

const cut = (text: string): string => (text.length > MAX_LINE ? text.slice(0, MAX_LINE + 1) : text);

const lineOf = (text: string): string => cut(text.endsWith('\r') ? text.slice(0, -1) : text);
