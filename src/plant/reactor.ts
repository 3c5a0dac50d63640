import type { Random } from './random.ts';

/**
 * Physics of one simulated batch reactor. T: temperature, X: conversion, P: pressure, Tj: jacket temperature.
 *
 *     m c dT/dt = U A (Tj - T)        dX/dt = k (P / 2.5 MPa)^0.5 (1 - X)        k = 1e10 exp(-80000 / (8.314 T))
 *
 * The heat of reaction is left out, so that a twin with the same two equations can follow the plant.
 */
const MASS_KG = 1000;
const HEAT_CAPACITY = 4200;
const HEAT_TRANSFER = 500;
const AREA_M2 = 10;
/** Time constant of the heat exchange: 840 s. */
const TAU_S = (MASS_KG * HEAT_CAPACITY) / (HEAT_TRANSFER * AREA_M2);

const NOMINAL = { temperatureC: 85, pressureMPa: 2.5, flowLPerMin: 120 } as const;
const SETPOINT_SWING_C = 4;
const SETPOINT_PERIOD_S = 300;
const JACKET = { minC: 5, maxC: 160, gain: 8 } as const;
const PRESSURE_SWING_MPA = 0.05;
const PRESSURE_PERIOD_S = 97;
/** Pressure and flow follow their set values with these time constants. */
const PRESSURE_TAU_S = 20;
const FLOW_TAU_S = 4;
/** The flow's set value takes a small step this often on average. */
const FLOW_STEP_EVERY_S = 45;
const FLOW_STEP_L_PER_MIN = 4;

const BATCH_DONE = 0.98;
const DRAIN_S = 15;
const REFILL_S = 15;
/** The flow while the reactor drains and refills, as a part of the nominal one. */
const CHANGEOVER_FLOW = 0.35;

export type Phase = 'react' | 'drain' | 'refill';

/** True state of one reactor; the sensors see it through noise and faults. */
export interface ReactorTruth {
  readonly timestamp: number;
  readonly phase: Phase;
  readonly batch: number;
  readonly temperatureC: number;
  readonly pressureMPa: number;
  readonly flowLPerMin: number;
  readonly conversion: number;
  readonly jacketC: number;
  readonly setpoints: {
    readonly temperatureC: number;
    readonly pressureMPa: number;
    readonly flowLPerMin: number;
  };
}

export interface Reactor {
  /** Advances by `dtS` seconds, small against every time constant above. */
  advance(dtS: number): void;
  truth(timestamp: number): ReactorTruth;
}

/** Rate of conversion, 1/s, at `temperatureC` and `pressureMPa`. */
export const reactionRate = (temperatureC: number, pressureMPa: number): number =>
  1e10 * Math.exp(-80_000 / (8.314 * (temperatureC + 273.15))) * Math.sqrt(pressureMPa / 2.5);

/** `random` drives the steps of the flow; `phaseOffset`, 0 to 1, keeps several reactors from moving alike. */
export function createReactor(random: Random, phaseOffset: number): Reactor {
  let timeS = 0;
  let phase: Phase = 'react';
  let phaseStartS = 0;
  let batch = 1;
  let temperatureC: number = NOMINAL.temperatureC;
  let pressureMPa: number = NOMINAL.pressureMPa;
  let flowLPerMin: number = NOMINAL.flowLPerMin;
  let conversion = 0;
  let jacketC: number = NOMINAL.temperatureC;
  let flowTarget: number = NOMINAL.flowLPerMin;

  const wave = (periodS: number): number => 2 * Math.PI * (timeS / periodS + phaseOffset);
  const offset = SETPOINT_SWING_C * Math.sin(2 * Math.PI * phaseOffset);
  const setpointC = (): number =>
    NOMINAL.temperatureC + SETPOINT_SWING_C * Math.sin(wave(SETPOINT_PERIOD_S)) - offset;
  const setpointRate = (): number =>
    ((SETPOINT_SWING_C * 2 * Math.PI) / SETPOINT_PERIOD_S) * Math.cos(wave(SETPOINT_PERIOD_S));
  const pressureTarget = (): number =>
    NOMINAL.pressureMPa + PRESSURE_SWING_MPA * Math.sin(wave(PRESSURE_PERIOD_S));
  const flowSetpoint = (): number => (phase === 'react' ? flowTarget : NOMINAL.flowLPerMin * CHANGEOVER_FLOW);

  const enter = (next: Phase): void => {
    phase = next;
    phaseStartS = timeS;
  };

  const advancePhase = (dtS: number): void => {
    if (phase === 'react') {
      conversion = 1 - (1 - conversion) * Math.exp(-reactionRate(temperatureC, pressureMPa) * dtS);
      if (conversion > BATCH_DONE) enter('drain');
    } else if (phase === 'drain') {
      if (timeS - phaseStartS >= DRAIN_S) enter('refill');
    } else {
      conversion *= Math.exp((-5 * dtS) / REFILL_S);
      if (timeS - phaseStartS >= REFILL_S) {
        conversion = 0;
        batch += 1;
        enter('react');
      }
    }
  };

  const advance = (dtS: number): void => {
    timeS += dtS;
    // Feed-forward of the setpoint's own rate, with a proportional term for what is left.
    const wanted = setpointC() + TAU_S * setpointRate() + JACKET.gain * (setpointC() - temperatureC);
    jacketC = Math.min(JACKET.maxC, Math.max(JACKET.minC, wanted));
    temperatureC = jacketC + (temperatureC - jacketC) * Math.exp(-dtS / TAU_S);
    pressureMPa += (pressureTarget() - pressureMPa) * (1 - Math.exp(-dtS / PRESSURE_TAU_S));
    if (random.uniform() < dtS / FLOW_STEP_EVERY_S) {
      flowTarget = NOMINAL.flowLPerMin + FLOW_STEP_L_PER_MIN * (2 * random.uniform() - 1);
    }
    flowLPerMin += (flowSetpoint() - flowLPerMin) * (1 - Math.exp(-dtS / FLOW_TAU_S));
    advancePhase(dtS);
  };

  const truth = (timestamp: number): ReactorTruth => ({
    timestamp,
    phase,
    batch,
    temperatureC,
    pressureMPa,
    flowLPerMin,
    conversion,
    jacketC,
    setpoints: { temperatureC: setpointC(), pressureMPa: pressureTarget(), flowLPerMin: flowSetpoint() },
  });

  return { advance, truth };
}
