import fc from 'fast-check';
import { expect, it } from 'vitest';
import { preview } from '../../../src/sources/mqtt/preview.ts';

it('is the JSON itself where that is short and flat', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 7 }), (value) => {
      // A negative zero is shown as one, unlike in JSON.stringify.
      fc.pre(
        !JSON.stringify(value, (_key, part: unknown) => (Object.is(part, -0) ? 'zero' : part)).includes(
          '"zero"',
        ),
      );
      expect(preview(value, 100_000)).toBe(JSON.stringify(value));
    }),
    { numRuns: 500 },
  );
});

it.each([
  [undefined, 'undefined'],
  [Infinity, 'Infinity'],
  [Array(100).fill(1), '[1,1,1,1,1]'],
  [{ aaaaaaaaaaaaaaaaaaaa: 1, b: 2 }, '{"aaaaaaaaaa":1}'],
  ['x'.repeat(100), '"xxxxxxxxxx"'],
])('%j is cut', (value, expected) => {
  expect(preview(value, 10)).toBe(expected);
});

it('shows depth by a sign', () => {
  const deep: unknown = JSON.parse('['.repeat(1000) + ']'.repeat(1000));
  expect(preview(deep, 100)).toBe('[[[[[[[[…]]]]]]]]');
});
