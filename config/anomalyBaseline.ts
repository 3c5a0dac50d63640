import { createHash } from 'node:crypto';
import type { AnomalyBaseline } from '../operators/steps/anomalyBaseline.ts';
import { inputFile } from './formats.ts';
import { shown } from './problems.ts';
import { readText } from './readFile.ts';
import type { Spec } from './spec.ts';
import type { AnomalyBaselineConfig } from './types.ts';

const path = inputFile(
  'What is normal, as `rxtwin learn` writes it; relative to this file. Empty: learned by the service.',
  '',
);

/** The baseline in a file, null where none is named. */
export const anomalyBaseline: Spec<AnomalyBaselineConfig | null> = {
  doc: path.doc,
  leaves: (key) => path.leaves(key),
  read(node, place, report) {
    const file = path.read(node, place, report);
    if (file === '' || node === undefined) return null;
    const found = readBaseline(file);
    if (typeof found !== 'string') return found;
    report.problem(place.key, node.origin, `${shown(file)}: ${found}`);
    return null;
  },
};

/** @returns what is wrong with it, as text. */
function readBaseline(file: string): AnomalyBaselineConfig | string {
  let text: string;
  try {
    text = readText(file);
  } catch (error) {
    const message = error instanceof Error ? error.message : 'not readable';
    return message === 'no such file' ? 'no such file; rxtwin learn writes one' : message;
  }
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 16);
  try {
    const content: unknown = JSON.parse(text);
    return { ...baselineOf(content), digest };
  } catch (error) {
    return error instanceof SyntaxError ? 'not valid JSON' : error instanceof Error ? error.message : 'wrong';
  }
}

/** @throws Error that names key, value and what was expected. */
export function baselineOf(content: unknown): Omit<AnomalyBaselineConfig, 'digest'> {
  if (typeof content !== 'object' || content === null) throw wrong('it', content, 'what rxtwin learn writes');
  const sensors = 'sensors' in content ? content.sensors : undefined;
  if (!Array.isArray(sensors) || sensors.length === 0 || !sensors.every((name) => typeof name === 'string'))
    throw wrong('sensors', sensors, 'a list of names');
  const fields = new Map<string, unknown>(Object.entries(content));
  const size = sensors.length;
  const one = (key: string, min: number): number => finite(key, fields.get(key), min, Infinity);
  const list = (key: string, length: number, min: number, max = Infinity): number[] => {
    const values = fields.get(key);
    if (!Array.isArray(values) || values.length !== length)
      throw wrong(key, Array.isArray(values) ? `${values.length} values` : values, `${length} numbers`);
    return values.map((value, i) => finite(`${key}[${i}]`, value, min, max));
  };
  const baseline: AnomalyBaseline = {
    sensors,
    center: list('center', size, -LARGEST, LARGEST),
    scale: list('scale', size, 0, LARGEST),
    inflation: list('inflation', size, 1, MANY),
    usualMs: list('usualMs', size, 0),
    correlation: list('correlation', size * size, -1, 1),
    effectiveCounts: list('effectiveCounts', size, 0, MANY),
  };
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      const value = baseline.correlation[i * size + j];
      const expected = i === j ? 1 : baseline.correlation[j * size + i];
      if (value !== expected)
        throw wrong(`correlation[${i * size + j}]`, value, `${expected}, as it is symmetric`);
    }
  }
  canJudge(baseline);
  const baselineMs = fields.get('baselineMs') === null ? null : one('baselineMs', 0);
  return { ...baseline, intervalMs: one('intervalMs', 0), smoothingMs: one('smoothingMs', 0), baselineMs };
}

/** Larger centres and scales are none of a sensor. */
const LARGEST = 1e100;
/** No recording has more values. */
const MANY = 1e9;
/** What is learned has no smaller scale, as a share of its centre, and no smaller one at all. */
const LEAST_SCALE = { relative: 1e-9, absolute: 1e-100 };
/** Of the correlation's factor, squared; the correlation that is learned keeps well above it. */
const MIN_PIVOT = 1e-9;

/** @throws Error where a detector could raise no alarm with it, or would be in alarm for good. */
function canJudge({ sensors, center, scale, correlation, effectiveCounts }: AnomalyBaseline): void {
  const kept = sensors.map((_, i) => i).filter((i) => scale[i] !== 0);
  if (kept.length === 0)
    throw wrong('scale', scale, 'at least one above 0, as a sensor with 0 is not judged');
  for (const i of kept) {
    const least = Math.max(LEAST_SCALE.absolute, LEAST_SCALE.relative * Math.abs(center[i] ?? 0));
    if ((scale[i] ?? 0) < least)
      throw wrong(`scale[${i}]`, scale[i], `0 or a number >= ${least}, with center[${i}] ${center[i]}`);
    if ((effectiveCounts[i] ?? 0) < 1)
      throw wrong(`effectiveCounts[${i}]`, effectiveCounts[i], `a number >= 1, as scale[${i}] is not 0`);
  }
  const lower = kept.map(() => kept.map(() => 0));
  kept.forEach((row, i) => {
    for (let j = 0; j <= i; j++) {
      let sum = correlation[row * sensors.length + (kept[j] ?? 0)] ?? 0;
      for (let k = 0; k < j; k++) sum -= (lower[i]?.[k] ?? 0) * (lower[j]?.[k] ?? 0);
      if (i === j && !(sum > MIN_PIVOT)) {
        const others = kept.slice(0, i).map((each) => sensors[each]);
        throw wrong(
          'correlation',
          [sensors[row], 'follows from', others].flat().join(' '),
          'a positive definite matrix',
        );
      }
      lower[i]?.splice(j, 1, i === j ? Math.sqrt(sum) : sum / (lower[j]?.[j] ?? 1));
    }
  });
}

function finite(key: string, value: unknown, min: number, max: number): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= min && value <= max) return value;
  const bounds = [...(min > -Infinity ? [`>= ${min}`] : []), ...(max < Infinity ? [`<= ${max}`] : [])];
  throw wrong(key, value, ['a number', bounds.join(' and ')].join(' ').trim());
}

const wrong = (key: string, value: unknown, expected: string): Error =>
  new Error(
    `${key}: ${value === undefined ? 'missing' : `${shown(value)} is not valid`}, expected ${expected}`,
  );
