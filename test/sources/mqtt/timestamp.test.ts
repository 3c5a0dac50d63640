import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseTimestamp } from '../../../src/sources/mqtt/timestamp.ts';

it('agrees with Date on every time of 1970 to 9999', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: Date.UTC(9999, 11, 31, 23, 59, 59, 999) }), (ms) => {
      expect(parseTimestamp(new Date(ms).toISOString())).toBe(ms);
    }),
    { numRuns: 5000 },
  );
});

it('agrees with Date on which days exist', () => {
  for (const year of [1970, 1999, 2000, 2023, 2024, 2100, 2400]) {
    for (let month = 1; month <= 12; month += 1) {
      for (let day = 1; day <= 31; day += 1) {
        const pad = (n: number): string => String(n).padStart(2, '0');
        const date = new Date(Date.UTC(year, month - 1, day));
        const exists = date.getUTCMonth() === month - 1;
        const parsed = parseTimestamp(`${year}-${pad(month)}-${pad(day)}T00:00:00Z`);
        expect(parsed).toBe(exists ? date.getTime() : Number.NaN);
      }
    }
  }
});

it('takes any zone', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 41 }), fc.integer({ min: -1439, max: 1439 }), (ms, offset) => {
      const pad = (n: number): string => String(n).padStart(2, '0');
      const size = Math.abs(offset);
      const zone = `${offset < 0 ? '-' : '+'}${pad(Math.floor(size / 60))}:${pad(size % 60)}`;
      const local = new Date(ms + 86_400_000 + offset * 60_000).toISOString().slice(0, -1);
      expect(parseTimestamp(local + zone)).toBe(ms + 86_400_000);
    }),
  );
});

it('never throws, whatever the text', () => {
  fc.assert(fc.property(fc.string(), (text) => Number.isNaN(parseTimestamp(text))));
});
