import { number, orNull, texts, whole } from './formats.ts';
import { group, mapOf, optional } from './spec.ts';

/** As HybridOptions in src/twin/process/hybridOptions.ts. */
export const hybrid = optional(
  group('A correction of a process model that is learned from what the model foretold; null = none.', {
    correct: mapOf(
      'States whose balance is corrected.',
      'state',
      () =>
        group('The correction of one balance.', {
          features: orNull(
            texts(
              'What it is linear in: 1, or names of states, inputs and parameters, differences (a - b) and exp(-a / b), joined by *; null = 1 and the state.',
              ['1'],
              { expected: 'a list of features, each once' },
            ),
          ),
          limitPerS: orNull(
            number(
              "The most that it ever comes to, in the state's unit in the model per second; null = a fortieth of the state's scale.",
              0,
              { above: 0 },
            ),
          ),
        }),
      () => undefined,
    ),
    horizonS: number('How far ahead it learns, and is compared with physics alone, in s.', 60, { above: 0 }),
    forgettingS: number('Time after which what was learned counts for 1/e, in s.', 3600, { above: 0 }),
    ridge: number('Pull of the coefficients towards 0.', 10, { above: 0 }),
    clip: number('Errors beyond so many standard deviations are clipped.', 3, { above: 0 }),
    reach: number(
      'So far outside of the region in which it was learned nothing is left of it, in typical changes of a feature.',
      0.5,
      { above: 0 },
    ),
    minComparisons: whole('Comparisons before it may come on.', 30, { min: 1 }),
    onBelow: number('It comes on where its mean square error is below this share of physics alone.', 0.7, {
      above: 0,
      max: 1,
    }),
    offAbove: number('And goes off where it is above this share.', 0.9, { above: 0, max: 1 }),
  }),
);
