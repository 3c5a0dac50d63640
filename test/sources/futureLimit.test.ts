import { expect, it } from 'vitest';
import { futureLimit } from '../../src/sources/futureLimit.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 1);

/** A wall clock that can be set, beside a monotonic one that cannot. */
function clocks(): { now(): number; monotonic(): number; pass(ms: number): void; set(byMs: number): void } {
  let passed = 0;
  let offset = 0;
  return {
    now: () => START + passed + offset,
    monotonic: () => 12_345 + passed,
    pass: (ms) => (passed += ms),
    set: (byMs) => (offset += byMs),
  };
}

const MINUTE = 60_000;

it.each([
  ['runs as it should', 0, [0, 0], MINUTE],
  ['is set back by an hour', -HOUR, [0, 0], MINUTE],
  ['is set on by an hour', HOUR, [0, 0], HOUR + MINUTE],
  ['is set on by an hour and back again', HOUR, [MINUTE, -HOUR], MINUTE],
  ['is set back by an hour and put right', -HOUR, [MINUTE, HOUR], MINUTE],
])('where the clock %s', (_what, first, [thenMs, second], allowed) => {
  const clock = clocks();
  const isTooFarAhead = futureLimit(
    MINUTE,
    () => clock.now(),
    () => clock.monotonic(),
  );
  clock.pass(10 * HOUR);
  clock.set(first);
  clock.pass(thenMs ?? 0);
  clock.set(second ?? 0);
  const real = START + clock.monotonic() - 12_345;
  expect(isTooFarAhead(real, clock.now())).toBe(false);
  expect(isTooFarAhead(real + allowed, clock.now())).toBe(false);
  expect(isTooFarAhead(real + allowed + 1, clock.now())).toBe(true);
});

it('takes the monotonic clock of the process by default', () => {
  const isTooFarAhead = futureLimit(MINUTE, () => START);
  expect(isTooFarAhead(START + MINUTE, START - HOUR)).toBe(false);
  expect(isTooFarAhead(START + 10 * MINUTE, START - HOUR)).toBe(true);
});
