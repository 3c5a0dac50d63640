import type { Report } from './problems.ts';
import { choice, duration, number, orNull, texts, whole } from './formats.ts';
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

const diagnosis = group('Whether plant and model part, and whose fault it is; null = off.', {
  parameters: orNull(
    texts('Parameters and inputs whose change is a process fault; null = those under estimate.', [], {
      expected: 'a name of the model',
      test: (name) => name !== '',
    }),
  ),
  windowMs: duration(
    "Time constant of the longer average of the innovations; the shorter one's is a tenth.",
    600_000,
    1000,
  ),
  falseAlarmsPerDay: number('How often a day plant and model part by chance.', 0.1, { above: 0 }),
  biasTolerance: number(
    'What an imperfect model may always be off: mean innovation in standard deviations.',
    0.3,
    { min: 0 },
  ),
  nisTolerance: number('Share by which NIS may always be over 1.', 0.3, { min: 0 }),
  correlationTolerance: number('Autocorrelation at lag 1 that innovations may always have.', 0.2, { min: 0 }),
  blockMs: duration('Measurements are averaged over so long before hypotheses are compared.', 20_000, 100),
  historyMs: duration('So much of the past is kept for it: 20 to 120 times blockMs.', 1_200_000, 2000),
  everyMs: duration('Hypotheses are compared at most so often.', 60_000, 100),
  evidence: number('Log likelihood ratio from which an explanation is believed.', 10, { above: 0 }),
  margin: number('How much better than the next it must be.', 5, { above: 0 }),
  holdMs: duration('Plant and model agree for so long before a verdict is taken back.', 1_800_000),
});

/** Keys of a model that are the filter's and not the model's. */
export const ESTIMATION_KEYS: readonly string[] = ['estimate', 'filter', 'diagnosis'];

export const estimationLeaves = (key: string) => [
  ...estimate.leaves(`${key}.estimate`),
  ...filter.leaves(`${key}.filter`),
  ...diagnosis.leaves(`${key}.diagnosis`),
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
  if (!ESTIMATION_KEYS.some(given)) return undefined;
  return {
    estimate: estimate.read(entries.get('estimate'), at('estimate'), report),
    ...filter.read(entries.get('filter'), at('filter'), report),
    ...(given('diagnosis') && {
      diagnosis: diagnosis.read(entries.get('diagnosis'), at('diagnosis'), report),
    }),
  };
}
