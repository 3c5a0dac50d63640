import { createRandom, hash } from '../random.ts';
import type { Random } from '../random.ts';
import { KNOB_NAMES, KNOBS, strength } from './scenario.ts';
import type { Disturbance, EventTime, Knob, ProcessEvent, Scenario } from './scenario.ts';

interface Move {
  readonly event: EventTime;
  readonly how: 'set' | 'scale' | 'add';
  readonly size: number;
}

interface KnobState {
  readonly base: number;
  readonly moves: readonly Move[];
  readonly disturbance: Disturbance | undefined;
  readonly random: Random;
  /** Of the disturbance; its first one is drawn as if it had gone on for ever. */
  offset: number;
}

export type KnobValues = Record<Knob, number>;

/** What a reactor's knobs stand at: its own start, moved by the events in their order, disturbed, within bounds. */
export interface Knobs {
  /** Writes the values at a time, into the same object each time. Times must grow by the grid's step. */
  at(atS: number, values: KnobValues): void;
}

/** A draw beyond three standard deviations would be a reactor of another kind. */
const within3 = (random: Random): number => Math.max(-3, Math.min(3, random.normal()));

export function createKnobs(scenario: Scenario, asset: string): Knobs {
  const { seed, stepS, disturbances, events, process, spread } = scenario;
  const own = events.filter(
    (event): event is ProcessEvent =>
      event.kind === 'process' && (event.assets === null || event.assets.includes(asset)),
  );
  const states = KNOB_NAMES.map((knob): readonly [Knob, KnobState] => {
    const ofReactor = createRandom(hash(`${asset}/${knob}/spread`, seed));
    const random = createRandom(hash(`${asset}/${knob}/disturbance`, seed));
    const disturbance = disturbances[knob];
    const state: KnobState = {
      base: process.start[knob] * Math.exp((spread[knob] ?? 0) * within3(ofReactor)),
      moves: own.flatMap((event) => movesOf(event, knob)),
      disturbance,
      random,
      offset: disturbance === undefined ? 0 : disturbance.stdDev * random.normal(),
    };
    return [knob, state];
  });
  const moving = states.filter(([, { moves, disturbance }]) => moves.length > 0 || disturbance !== undefined);
  let started = false;

  const at = (atS: number, values: KnobValues): void => {
    for (const [knob, state] of started ? moving : states) {
      if (started && state.disturbance !== undefined) disturb(state, state.disturbance, stepS);
      const { min, max } = KNOBS[knob];
      values[knob] = Math.max(min, Math.min(max, moved(state, atS) + state.offset));
    }
    started = true;
  };
  return { at };
}

function movesOf(event: ProcessEvent, knob: Knob): readonly Move[] {
  return (['set', 'scale', 'add'] as const).flatMap((how) => {
    const size = event[how][knob];
    return size === undefined ? [] : [{ event, how, size }];
  });
}

function moved({ base, moves }: KnobState, atS: number): number {
  let value = base;
  for (const { event, how, size } of moves) {
    const weight = strength(event, atS);
    if (weight === 0) continue;
    if (how === 'set') value += weight * (size - value);
    else if (how === 'scale') value *= 1 + weight * (size - 1);
    else value += weight * size;
  }
  return value;
}

/** Exact over a step: the correlation falls with exp(-t / timeConstant), the variance stays. */
function disturb(state: KnobState, { stdDev, timeConstantS }: Disturbance, stepS: number): void {
  const kept = Math.exp(-stepS / timeConstantS);
  state.offset = kept * state.offset + stdDev * Math.sqrt(1 - kept * kept) * state.random.normal();
}
