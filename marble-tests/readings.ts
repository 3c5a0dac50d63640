/** Builders of readings for tests. */
import type { Reading } from '../operators/types.ts';
import { NO_ISSUES } from '../operators/types.ts';

/** A Good reading of R101/temperature at 0 ms, with the given value and overrides. */
export function reading(value: number | null, overrides: Partial<Reading> = {}): Reading {
  return {
    asset: 'R101',
    sensor: 'temperature',
    timestamp: 0,
    value,
    unit: 'degC',
    quality: 'Good',
    issues: NO_ISSUES,
    imputed: false,
    received: null,
    ...overrides,
  };
}

/** One reading a value, `everyMs` apart in source time, the first at `startMs`. */
export function readings(
  values: readonly (number | null)[],
  everyMs = 1000,
  startMs = 0,
  overrides: Partial<Reading> = {},
): Reading[] {
  return values.map((value, index) => reading(value, { timestamp: startMs + index * everyMs, ...overrides }));
}
