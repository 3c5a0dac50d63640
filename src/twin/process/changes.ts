import type { EstimatedState, EstimatedTwin } from './estimatedTwin.ts';
import { at } from './squareRoot.ts';
import type { Read } from './unscented.ts';
import { WhatIf } from './whatIf.ts';
import type { Changes, Level } from './whatIf.ts';

/** A value from a time on, in seconds from now. */
export interface RequestedLevel {
  readonly atS: number;
  readonly value: number;
}

/** What somebody wants to be different, by name. */
export interface RequestedChanges {
  /** Measured inputs in their sensors' units, or inputs of the model in its own. */
  readonly inputs: Readonly<Record<string, readonly RequestedLevel[]>>;
  /** In the model's units. */
  readonly parameters: Readonly<Record<string, number>>;
  /** Outputs that follow from one state alone, in the outputs' units. */
  readonly state: Readonly<Record<string, number>>;
}

export interface Refusal {
  readonly parameter: string;
  readonly value: string;
  readonly expected: string;
}

/** The changes in the model's terms, with what cannot be. */
export function changesOf(
  twin: EstimatedTwin,
  state: EstimatedState,
  request: RequestedChanges,
): { readonly changes: Changes; readonly refused: readonly Refusal[] } {
  const refused: Refusal[] = [];
  const inputs = changedInputs(twin, request.inputs, refused);
  const parameters = new Map<number, number>();
  for (const [name, value] of Object.entries(request.parameters)) {
    const key = `parameters.${name}`;
    const all = twin.process.parameters;
    const index = all.findIndex((each) => each.name === name);
    const variable = all[index];
    if (variable === undefined) refused.push(unknown(key, value, all.map(nameOf)));
    else if (!(value >= variable.min && value <= variable.max)) refused.push(outside(key, value, variable));
    else parameters.set(index, value);
  }
  const changes = { inputs, parameters, states: new Map<number, number>() };
  const states = changedStates(new WhatIf(twin, state, changes), request.state, refused);
  return { changes: { ...changes, states }, refused };
}

const nameOf = ({ name }: { readonly name: string }): string => name;

const unknown = (
  parameter: string,
  value: number | readonly RequestedLevel[],
  known: readonly string[],
): Refusal => ({
  ...{ parameter, value: JSON.stringify(value) },
  expected: known.length > 0 ? `one of ${known.join(', ')}` : 'none, as the model has none',
});

const outside = (
  parameter: string,
  value: number,
  { min, max, unit }: { readonly min: number; readonly max: number; readonly unit: string },
): Refusal => ({ parameter, value: String(value), expected: `a number from ${min} to ${max} ${unit}` });

function changedInputs(
  { process }: EstimatedTwin,
  requested: RequestedChanges['inputs'],
  refused: Refusal[],
): Map<number, readonly Level[]> {
  const found = new Map<number, readonly Level[]>();
  const measured = Object.entries(process.measured).filter(([, { kind }]) => kind === 'input');
  for (const [name, levels] of Object.entries(requested)) {
    const key = `inputs.${name}`;
    const quantity = Object.hasOwn(process.measured, name) ? process.measured[name] : undefined;
    const isMeasured = quantity?.kind === 'input';
    const index = process.inputs.findIndex((each) => each.name === (isMeasured ? quantity.input : name));
    const input = process.inputs[index];
    if (input === undefined) {
      const names = [...measured.map(([known]) => known), ...process.inputs.map(nameOf)];
      refused.push(unknown(key, levels, [...new Set(names)]));
      continue;
    }
    if (found.has(index)) {
      refused.push({ parameter: key, value: name, expected: `${input.name} only once` });
      continue;
    }
    const inner = levels.map(({ atS, value }) => ({
      atS,
      value: isMeasured ? quantity.toInput(value) : value,
    }));
    for (const [i, { value }] of inner.entries()) {
      if (value >= input.min && value <= input.max) continue;
      const given = levels[i]?.value ?? NaN;
      const unit = isMeasured ? quantity.unit : input.unit;
      const expected = `a value in ${unit || 'no unit'} for which ${input.name} is from ${input.min} to ${input.max} ${input.unit}`;
      refused.push({ parameter: key, value: String(given), expected });
      break;
    }
    found.set(index, inner);
  }
  return found;
}

/** Newton steps; what sensors read is straight or nearly so. */
const TRIES = 30;
const NUDGE = 1e-4;
const CLOSE = 1e-9;

function changedStates(
  whatIf: WhatIf,
  requested: RequestedChanges['state'],
  refused: Refusal[],
): Map<number, number> {
  const found = new Map<number, number>();
  const { process } = whatIf.twin;
  const { layout, belief, u } = whatIf;
  const point = layout.point();
  layout.unpack(belief.z, u, point);
  whatIf.force(point.u, point.p);
  const scaleOf = (i: number): number => process.states[i]?.scale ?? NaN;
  const readAt = (read: Read, i: number, value: number): number => {
    const before = at(point.x, i);
    point.x[i] = value;
    const result = read(point.x, point.u, point.p);
    point.x[i] = before;
    return result;
  };
  /** The states that the quantity changes with. */
  const dependsOn = (read: Read): number[] =>
    process.states.flatMap((_, i) => {
      const h = NUDGE * scaleOf(i);
      return readAt(read, i, at(point.x, i) + h) === readAt(read, i, at(point.x, i) - h) ? [] : [i];
    });
  const readOf = (name: string): Read | null => {
    // What is shown may be cut off where what is measured is not.
    const measured = Object.hasOwn(process.measured, name) ? process.measured[name] : undefined;
    if (measured?.kind === 'output') return (x, inputs, p) => measured.read(x, inputs, p);
    const output = Object.hasOwn(process.outputs, name) ? process.outputs[name] : undefined;
    return output === undefined ? null : (x, inputs, p) => output.read(x, inputs, p);
  };
  for (const [name, value] of Object.entries(requested)) {
    const key = `state.${name}`;
    const read = readOf(name);
    const [index, ...others] = read === null ? [] : dependsOn(read);
    const state = index === undefined ? undefined : process.states[index];
    if (read === null || index === undefined || state === undefined || others.length > 0) {
      const names = Object.keys({ ...process.outputs, ...process.measured });
      const possible = names.filter((each) => {
        const other = readOf(each);
        return other !== null && dependsOn(other).length === 1;
      });
      refused.push(unknown(key, value, possible));
      continue;
    }
    if (found.has(index)) {
      refused.push({ parameter: key, value: String(value), expected: `${state.name} to be set only once` });
      continue;
    }
    let x = at(point.x, index);
    for (let i = 0; i < TRIES; i++) {
      const h = NUDGE * state.scale;
      const slope = (readAt(read, index, x + h) - readAt(read, index, x - h)) / (2 * h);
      x += (value - readAt(read, index, x)) / slope;
    }
    const isReached = Math.abs(readAt(read, index, x) - value) <= CLOSE * Math.max(1, Math.abs(value));
    if (isReached && x >= state.min && x <= state.max) found.set(index, x);
    else {
      const expected = `a value for which ${state.name} is from ${state.min} to ${state.max} ${state.unit}`;
      refused.push({ parameter: key, value: String(value), expected });
    }
  }
  return found;
}
