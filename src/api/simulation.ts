import type { RequestedChanges, RequestedLevel } from '../twin/process/changes.ts';
import { badParameter, badParameters } from './problem.ts';
import type { ParameterError } from './problem.ts';

/*
 * The body of a simulation, read by hand: a schema's checks bend what is nearly right, and cannot name the value in a list.
 */

export const MAX_HORIZON_S = 86_400;
export const MAX_POINTS = 10_000;
export const MAX_LEVELS = 100;
export const MAX_LIMITS = 8;
export const MAX_BODY_BYTES = 16_384;

export interface SimulationRequest extends RequestedChanges {
  readonly horizonS: number;
  readonly stepS: number;
  readonly limits: readonly string[];
}

const KEYS = ['horizonS', 'stepS', 'inputs', 'parameters', 'state', 'limits'] as const;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const text = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);

/** @throws Problem 400 that names every key, its value and what was expected. */
export function readSimulation(body: unknown): SimulationRequest {
  if (!isRecord(body ?? {})) throw badParameter('body', text(body), 'a JSON object');
  const given: Readonly<Record<string, unknown>> = isRecord(body) ? body : {};
  const errors: ParameterError[] = [];
  const refuse = (parameter: string, value: unknown, expected: string): void =>
    void errors.push({ parameter, value: text(value), expected });

  for (const [key, value] of Object.entries(given)) {
    if (!KEYS.some((known) => known === key)) refuse(key, value, `no such key; known: ${KEYS.join(', ')}`);
  }
  const seconds = (key: 'horizonS' | 'stepS', usual: number): number => {
    const value = given[key] ?? usual;
    if (typeof value === 'number' && value > 0 && value <= MAX_HORIZON_S) return value;
    refuse(key, value, `a number > 0 and <= ${MAX_HORIZON_S}`);
    return usual;
  };
  const table = (key: 'inputs' | 'parameters' | 'state'): readonly (readonly [string, unknown])[] => {
    const value = given[key] ?? {};
    if (isRecord(value)) return Object.entries(value);
    refuse(key, value, 'an object: name -> value');
    return [];
  };
  const numbers = (key: 'parameters' | 'state'): Record<string, number> => {
    const found: Record<string, number> = {};
    for (const [name, value] of table(key)) {
      if (typeof value === 'number') found[name] = value;
      else refuse(`${key}.${name}`, value, 'a number');
    }
    return found;
  };

  const horizonS = seconds('horizonS', 60);
  const stepS = seconds('stepS', Math.min(1, horizonS));
  const inputs: Record<string, readonly RequestedLevel[]> = {};
  for (const [name, value] of table('inputs')) inputs[name] = readLevels(`inputs.${name}`, value, refuse);
  const parameters = numbers('parameters');
  const state = numbers('state');
  const limits: string[] = [];
  const listed = given['limits'] ?? [];
  if (!Array.isArray(listed) || listed.length > MAX_LIMITS)
    refuse('limits', listed, `a list of at most ${MAX_LIMITS} limits`);
  else {
    for (const [i, limit] of listed.entries()) {
      if (typeof limit === 'string') limits.push(limit);
      else refuse(`limits[${i}]`, limit, 'a text such as temperature>120');
    }
  }
  if (errors.length > 0) throw badParameters(errors);
  checkSteps(horizonS, stepS);
  return { horizonS, stepS, inputs, parameters, state, limits };
}

function readLevels(
  key: string,
  value: unknown,
  refuse: (parameter: string, value: unknown, expected: string) => void,
): readonly RequestedLevel[] {
  if (typeof value === 'number') return [{ atS: 0, value }];
  const expected = `a number, or a list of 1 to ${MAX_LEVELS} levels { atS, value }`;
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_LEVELS) {
    refuse(key, Array.isArray(value) ? `${value.length} levels` : value, expected);
    return [];
  }
  const levels: RequestedLevel[] = [];
  let lastS = -1;
  for (const [i, level] of value.entries()) {
    const each: unknown = level;
    const atS = isRecord(each) ? each['atS'] : undefined;
    const at = isRecord(each) ? each['value'] : undefined;
    if (!isRecord(each) || typeof at !== 'number' || Object.keys(each).length !== 2)
      refuse(`${key}[${i}]`, each, 'atS and value, both numbers');
    else if (typeof atS !== 'number' || !(atS >= 0 && atS <= MAX_HORIZON_S && atS > lastS))
      refuse(`${key}[${i}].atS`, atS, `a number from 0 to ${MAX_HORIZON_S}, later than the one before`);
    else {
      levels.push({ atS, value: at });
      lastS = atS;
    }
  }
  return levels;
}

/** @throws Problem 400 */
export function checkSteps(horizonS: number, stepS: number): void {
  if (horizonS / stepS > MAX_POINTS) {
    const least = `at least horizonS / ${MAX_POINTS} = ${horizonS / MAX_POINTS}`;
    throw badParameter('stepS', String(stepS), least);
  }
  if (stepS > horizonS) throw badParameter('stepS', String(stepS), `at most horizonS = ${horizonS}`);
}
