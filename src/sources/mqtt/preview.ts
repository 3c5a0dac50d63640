const MAX_DEPTH = 8;

/**
 * The beginning of a parsed JSON value as JSON, at least `length` characters where there are as many; deeper than 8 levels
 * as '…'. Its cost is bounded by `length` and the number of keys of the objects shown, whereas JSON.stringify takes
 * time with the square of the depth, and can exhaust the stack.
 */
export function preview(value: unknown, length: number): string {
  let text = '';
  const write = (part: unknown, depth: number): void => {
    if (typeof part === 'string') {
      text += JSON.stringify(part.slice(0, length));
    } else if (typeof part !== 'object' || part === null) {
      text += String(part);
    } else if (depth === 0) {
      text += '…';
    } else if (Array.isArray(part)) {
      text += '[';
      for (let i = 0; i < part.length && text.length < length; i += 1) {
        if (i > 0) text += ',';
        write(part[i], depth - 1);
      }
      text += ']';
    } else {
      let separator = '{';
      for (const [key, inner] of Object.entries(part)) {
        if (text.length >= length) break;
        text += `${separator}${JSON.stringify(key.slice(0, length))}:`;
        separator = ',';
        write(inner, depth - 1);
      }
      text += separator === '{' ? '{}' : '}';
    }
  };
  write(value, MAX_DEPTH);
  return text;
}
