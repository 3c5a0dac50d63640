import fc from 'fast-check';
import { expect, test } from 'vitest';
import { queueState } from '../../../operators/steps/buffer.ts';
import { LatestByKey, resolveMaxKeys } from '../../../operators/steps/conflate.ts';

const keyOf = (item: string): string => item.slice(0, 1);

function driven(maxKeys: number): { latest: LatestByKey<string>; out: string[] } {
  const out: string[] = [];
  return { latest: new LatestByKey(queueState<string>(), keyOf, maxKeys, (item) => out.push(item)), out };
}

test('the latest a key, by first arrival', () => {
  const { latest, out } = driven(10);
  ['a1', 'b1', 'a2', 'c1', 'b2'].forEach((item) => latest.put(item));
  expect(out).toEqual([]);
  latest.release();
  expect(out).toEqual(['a2', 'b2', 'c1']);
  latest.release();
  ['c2', 'a3'].forEach((item) => latest.put(item));
  latest.release();
  expect(out).toEqual(['a2', 'b2', 'c1', 'c2', 'a3']);
});

test('one key more than maxKeys releases the oldest early', () => {
  const { latest, out } = driven(2);
  ['a1', 'b1', 'a2', 'c1', 'b2', 'a3'].forEach((item) => latest.put(item));
  expect(out).toEqual(['a2', 'b2']);
  latest.release();
  expect(out).toEqual(['a2', 'b2', 'c1', 'a3']);
});

test('what is released is what a Map would hold', () => {
  const puts = fc.array(fc.oneof(fc.constantFrom('a', 'b', 'c', 'd'), fc.constant(null)), { maxLength: 60 });
  fc.assert(
    fc.property(puts, (actions) => {
      const { latest, out } = driven(100);
      const expected: string[] = [];
      const map = new Map<string, string>();
      actions.forEach((key, i) => {
        if (key === null) {
          latest.release();
          expected.push(...map.values());
          map.clear();
        } else {
          latest.put(key + String(i));
          map.set(key, key + String(i));
        }
      });
      expect(out).toEqual(expected);
    }),
  );
});

test('maxKeys 0 is refused', () => {
  expect(() => resolveMaxKeys(0)).toThrow('maxKeys: 0 is not valid, expected a whole number >= 1');
});
