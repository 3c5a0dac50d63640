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
    center: list('center', size, -Infinity),
    scale: list('scale', size, 0),
    inflation: list('inflation', size, 1),
    usualMs: list('usualMs', size, 0),
    correlation: list('correlation', size * size, -1, 1),
    effectiveCounts: list('effectiveCounts', size, 0),
  };
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      const value = baseline.correlation[i * size + j];
      const expected = i === j ? 1 : baseline.correlation[j * size + i];
      if (value !== expected)
        throw wrong(`correlation[${i * size + j}]`, value, `${expected}, as it is symmetric`);
    }
  }
  const baselineMs = fields.get('baselineMs') === null ? null : one('baselineMs', 0);
  return { ...baseline, intervalMs: one('intervalMs', 0), smoothingMs: one('smoothingMs', 0), baselineMs };
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
