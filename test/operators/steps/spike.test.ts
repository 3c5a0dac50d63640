import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { resolveSpikeOptions, spikeState, spikeStep } from '../../../operators/steps/spike.ts';
import type { SpikeOptions } from '../../../operators/steps/spike.ts';

/** What the step says of each value; '' = nothing. */
function judge(values: readonly number[], options: SpikeOptions = {}): string[] {
  const state = spikeState();
  const resolved = resolveSpikeOptions(options);
  return values.map((value) => spikeStep(state, value, resolved)?.message ?? '');
}

describe('spikeStep', () => {
  test.each<[string, number[], SpikeOptions, string[]]>([
    ['the worked case', [85, 120], {}, ['', 'Rapid change detected: 41.2% (allowed: 20.0%)']],
    ['downwards', [85, 50], {}, ['', 'Rapid change detected: 41.2% (allowed: 20.0%)']],
    ['exactly the limit is credible', [100, 120, 96], {}, ['', '', '']],
    ['the value after a spike is compared with the one before it', [85, 120, 86], {}, ['', 'x', '']],
    [
      'a new level is believed after confirmCount',
      [100, 150, 150, 150, 151],
      { confirmCount: 3 },
      ['', 'x', 'x', 'x', ''],
    ],
    [
      'an accepted value ends the run',
      [100, 150, 100, 150, 150],
      { confirmCount: 2 },
      ['', 'x', '', 'x', 'x'],
    ],
    ['negative values', [-100, -130, -90], {}, ['', 'Rapid change detected: 30.0% (allowed: 20.0%)', '']],
    ['no relative verdict near zero', [1e-7, 50], {}, ['', '']],
    ['no relative verdict at zero', [0, 50], {}, ['', '']],
    [
      'an absolute limit judges there',
      [0, 50],
      { maxAbsoluteChange: 10 },
      ['', 'Rapid change detected: 50 (allowed: 10)'],
    ],
    [
      'the absolute limit holds beside the relative one',
      [1000, 1050],
      { maxAbsoluteChange: 10 },
      ['', 'Rapid change detected: 50 (allowed: 10)'],
    ],
  ])('%s', (_, values, options, expected) => {
    const messages = judge(values, options);
    expect(messages.map((message, i) => (expected[i] === 'x' && message !== '' ? 'x' : message))).toEqual(
      expected,
    );
  });

  test('never flags values within the limit of the last accepted one', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 100, max: 119, noNaN: true })), (values) => {
        expect(judge(values).every((message) => message === '')).toBe(true);
      }),
    );
  });

  test('a lasting step is flagged exactly confirmCount times', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.double({ min: 130, max: 1e6, noNaN: true }),
        (confirmCount, level) => {
          const after = Array.from({ length: 30 }, () => level);
          const flags = judge([100, ...after], { confirmCount }).filter((message) => message !== '');
          expect(flags).toHaveLength(confirmCount);
        },
      ),
    );
  });

  test('its state is plain JSON, even after -0', () => {
    const state = spikeState();
    spikeStep(state, -0, resolveSpikeOptions({}));
    expect(JSON.parse(JSON.stringify(state))).toStrictEqual(state);
  });
});

describe('resolveSpikeOptions', () => {
  test('has the documented defaults', () => {
    expect(resolveSpikeOptions({})).toEqual({
      maxRelativeChange: 0.2,
      maxAbsoluteChange: null,
      nearZero: 1e-6,
      confirmCount: 5,
    });
  });

  test.each([
    [{ maxRelativeChange: 0 }, /^maxRelativeChange: 0 /],
    [{ maxRelativeChange: NaN }, /^maxRelativeChange: NaN /],
    [{ maxAbsoluteChange: -1 }, /^maxAbsoluteChange: -1 /],
    [{ nearZero: -1 }, /^nearZero: -1 /],
    [{ confirmCount: 0 }, /^confirmCount: 0 /],
    [{ confirmCount: 1.5 }, /^confirmCount: 1.5 /],
  ])('refuses %j', (options, message) => {
    expect(() => resolveSpikeOptions(options)).toThrow(RangeError);
    expect(() => resolveSpikeOptions(options)).toThrow(message);
  });
});
