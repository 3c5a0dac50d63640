import { number } from '../../../config/formats.ts';
import { shown, suggestion } from '../../../config/problems.ts';
import { group, mapOf } from '../../../config/spec.ts';
import type { Spec } from '../../../config/spec.ts';
import { plainOf, record } from '../../../config/tree.ts';
import { PARAMETER_NAMES } from './plantModel.ts';
import { KNOB_NAMES, KNOBS } from './scenario.ts';
import type { Disturbance, Knob } from './scenario.ts';

const UNIT_S: Readonly<Record<string, number>> = { ms: 0.001, s: 1, min: 60, h: 3600, d: 86_400 };

/** Seconds of `90`, `90s`, `1.5 min`, `2 h`; undefined for anything else, and below 0. */
export function parseSeconds(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value : undefined;
  const match = typeof value === 'string' ? /^(\d+\.?\d*|\.\d+)\s*(ms|s|min|h|d)?$/.exec(value.trim()) : null;
  const unit = UNIT_S[match?.[2] ?? 's'];
  // To a millisecond: 1.1 min are 66 s, not 66.00000000000001.
  return match === null || unit === undefined ? undefined : Math.round(Number(match[1]) * unit * 1000) / 1000;
}

/** A time or a duration; required where `fallback` is undefined, allowed to be null where `fallback` is. */
export function seconds<T extends number | null>(
  fallback: T | undefined,
  bounds: { readonly above?: number; readonly max?: number } = {},
): Spec<T | number> {
  const { above = -Infinity, max = Infinity } = bounds;
  const limits = `${above > -Infinity ? ` > ${above} s` : ''}${max < Infinity ? ` <= ${max} s` : ''}`;
  const expected = `a time${limits}, like 90, 90s, 1.5 min or 2 h`;
  return {
    doc: '',
    read(node, place, report) {
      const plain = node === undefined ? fallback : plainOf(node);
      if (plain === undefined) report.problem(place.key, place.origin, `missing, expected ${expected}`);
      const value = parseSeconds(plain);
      if (value !== undefined && value > above && value <= max) return value;
      if (node !== undefined && !(plain === null && fallback === null)) {
        report.problem(place.key, node.origin, `${shown(plain)} is not valid, expected ${expected}`);
      }
      return fallback === undefined ? 0 : fallback;
    },
    leaves: () => [],
  };
}

/** What `spec` reads, in another form. */
export const mapped = <T, U>(spec: Spec<T>, form: (value: T) => U): Spec<U> => ({
  doc: spec.doc,
  read: (node, place, report) => form(spec.read(node, place, report)),
  leaves: (key) => spec.leaves(key),
});

const knobOf = (name: string): Knob | undefined => KNOB_NAMES.find((knob) => knob === name);

const knobProblem = (name: string): string | undefined =>
  knobOf(name) !== undefined
    ? undefined
    : `unknown quantity${suggestion(name, KNOB_NAMES) || `, expected one of ${KNOB_NAMES.join(', ')}`}`;

function boundsOf(name: string): { readonly min?: number; readonly max?: number } {
  const knob = knobOf(name);
  return knob === undefined ? {} : KNOBS[knob];
}

type ByKnob<T> = Readonly<Partial<Record<Knob, T>>>;

/** `set`: values within what the knob allows. */
export const knobValues: Spec<ByKnob<number>> = mapOf(
  '',
  'quantity',
  (name) => number('', undefined, boundsOf(name)),
  knobProblem,
);

/** `scale`: multiples. */
export const knobFactors: Spec<ByKnob<number>> = mapOf(
  '',
  'quantity',
  () => number('', undefined, { min: 0 }),
  knobProblem,
);

/** `add`: differences. */
export const knobDifferences: Spec<ByKnob<number>> = mapOf(
  '',
  'quantity',
  () => number('', undefined),
  knobProblem,
);

/** `spread`: relative standard deviations between reactors. */
export const knobSpread: Spec<ByKnob<number>> = mapOf(
  '',
  'quantity',
  () => number('', undefined, { min: 0, max: 0.5 }),
  knobProblem,
);

export const knobDisturbances: Spec<ByKnob<Disturbance>> = mapOf(
  '',
  'quantity',
  () =>
    mapped(
      group('', { stdDev: number('', undefined, { min: 0 }), timeConstant: seconds(300, { above: 0 }) }),
      ({ stdDev, timeConstant }): Disturbance => ({ stdDev, timeConstantS: timeConstant }),
    ),
  knobProblem,
);

/** Defaults of all knobs, each of which may be given. */
export const knobStart = (defaults: Readonly<Record<Knob, number>>): Spec<Readonly<Record<Knob, number>>> =>
  mapped(
    group('', record(KNOB_NAMES.map((knob) => [knob, number('', defaults[knob], KNOBS[knob])]))),
    (given): Readonly<Record<Knob, number>> => ({ ...defaults, ...given }),
  );

/** Parameters of the reactor itself: what the knobs move, and where it starts, has a place of its own. */
export const processParameters: Spec<Readonly<Record<string, number>>> = mapOf(
  '',
  'parameter',
  () => number('', undefined),
  (name) =>
    PARAMETER_NAMES.includes(name)
      ? undefined
      : `unknown parameter${suggestion(name, PARAMETER_NAMES) || `, expected one of ${PARAMETER_NAMES.join(', ')}`}`,
);
