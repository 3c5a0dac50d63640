import type { Report } from './problems.ts';
import { choice, number, orNull, whole } from './formats.ts';
import { group, mapOf } from './spec.ts';
import type { Place, Spec } from './spec.ts';
import type { Node } from './tree.ts';
import type { ModelEstimationConfig } from './types.ts';

const ofModel = (): undefined => undefined;

const estimate = mapOf(
  'Parameters and inputs of a process model that are estimated along with its states.',
  'parameter',
  () =>
    group('How one of them is estimated.', {
      mode: choice(
        'Whether it is estimated, or only considered: its value stays, but what is not known of it is in the bands.',
        'estimate',
        ['estimate', 'consider'],
      ),
      stdDev: orNull(
        number(
          'What its value may be off at the start, and the most that is ever assumed, in its unit; null = a fifth of it.',
          0,
          { above: 0 },
        ),
      ),
      noisePerSqrtS: orNull(
        number(
          'How far it wanders: standard deviation that it gains in a second, in its unit; null = a quarter of stdDev in an hour.',
          0,
          { min: 0 },
        ),
      ),
    }),
  ofModel,
);

const perState = (doc: string): Spec<Readonly<Record<string, number>>> =>
  mapOf(doc, 'state', () => number(doc, undefined, { min: 0 }), ofModel);

const filter = group('The filter of a process model.', {
  initialStdDev: perState(
    "What a state may be off at the start, in the model's unit; default: the state's scale.",
  ),
  stateNoisePerSqrtS: perState(
    "Standard deviation that disturbances add to a state in a second, in the model's unit; default: a thousandth of its scale.",
  ),
  measurementStdDev: mapOf(
    'Noise of sensors.',
    'quantity',
    () =>
      number(
        "Standard deviation of the sensor's noise, in its unit; default: that of its kalman.measurementVariance.",
        undefined,
        { above: 0 },
      ),
    ofModel,
  ),
  gateNis: orNull(
    number('Normalised innovation squared beyond which a measurement is not believed; null = all are.', 25, {
      above: 0,
    }),
    25,
  ),
  confirmCount: whole('Measurements in a row that are not believed before the filter finds itself lost.', 5, {
    min: 1,
  }),
  maxStepS: number('Longest step between two looks at the spread, in s.', 10, { above: 0 }),
});

/** Keys of a model that are the filter's and not the model's. */
export const ESTIMATION_KEYS: readonly string[] = ['estimate', 'filter'];

export const estimationLeaves = (key: string) => [
  ...estimate.leaves(`${key}.estimate`),
  ...filter.leaves(`${key}.filter`),
];

/** What is said of the filter; undefined where nothing is. */
export function readEstimation(
  entries: ReadonlyMap<string, Node>,
  at: (key: string) => Place,
  report: Report,
): ModelEstimationConfig | undefined {
  const given = (key: string): boolean => {
    const node = entries.get(key);
    return node !== undefined && !(node.kind === 'scalar' && node.value === null);
  };
  if (!given('estimate') && !given('filter')) return undefined;
  return {
    estimate: estimate.read(entries.get('estimate'), at('estimate'), report),
    ...filter.read(entries.get('filter'), at('filter'), report),
  };
}
