import type { Report } from './problems.ts';
import { choice, duration, number, text, texts, whole } from './formats.ts';
import { group } from './spec.ts';
import type { Place } from './spec.ts';
import type { Node } from './tree.ts';
import type { ModelRunawayConfig } from './types.ts';

const isSomething = { expected: 'a name', test: (name: string): boolean => name !== '' };

const runaway = group('Warning before an exothermic process runs away; null = off.', {
  limit: number("What must not be crossed, in the output's unit.", undefined),
  output: text('Output of the model that the limit is of.', 'temperature', isSomething),
  states: texts(
    'States whose balances make the divergence; default: concentration and temperature where the model has both, else all.',
    [],
    isSomething,
  ),
  criterion: choice(
    'What it takes to warn: divergence, prediction, either of them, or both at once.',
    'either',
    ['either', 'divergence', 'prediction', 'both'],
  ),
  divergencePerS: number('Divergence beyond which it is a sign, in 1/s.', 0, { min: 0 }),
  divergenceStdDevs: number('By how many of its standard deviations it must be beyond.', 2, { min: 0 }),
  probability: number('Of crossing the limit within the horizon, from which on it is a sign.', 0.9, {
    above: 0,
    max: 0.999,
  }),
  horizonMs: duration('How far the prediction goes, inputs held.', 90_000, 1000),
  everyMs: duration('Time of the twin between two evaluations.', 2500, 100),
  confirmCount: whole('Evaluations in a row before the level rises.', 2, { min: 1 }),
  clearCount: whole('Evaluations in a row without signs before it falls.', 12, { min: 1 }),
  inputAverageMs: duration('Measured inputs are averaged over about so long; 0 = as last measured.', 15_000),
});

export const runawayLeaves = (key: string) => runaway.leaves(`${key}.runaway`);

/** What is said of the warning; undefined where nothing is, or null. */
export function readRunaway(
  node: Node | undefined,
  place: Place,
  report: Report,
): ModelRunawayConfig | undefined {
  if (node === undefined || (node.kind === 'scalar' && node.value === null)) return undefined;
  return runaway.read(node, place, report);
}
