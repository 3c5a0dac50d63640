import { isOn, strength } from './scenario.ts';
import type { ActuatorEvent, ControlSettings, Scenario } from './scenario.ts';

/** The temperature loop: a PI controller and the actuator (valve or coolant supply) that it moves. */
export interface Control {
  /** What the controller asks for. */
  readonly output: number;
  /** Where the actuator stands, faults included: degC of the supply, or opening of the valve. */
  readonly position: number;
  /** One step of the grid. */
  step(atS: number, setpointDegC: number, measuredDegC: number): void;
}

/**
 * output = integral + gain * error, within min and max; the integral waits while the output is at a limit and the error
 * would push it further (no wind-up). More coolant flow cools, a higher supply temperature heats: hence the sign.
 */
export function createControl(scenario: Scenario, asset: string, steadyOutput: number): Control {
  const { control, stepS } = scenario;
  const faults = scenario.events.filter(
    (event): event is ActuatorEvent =>
      event.kind === 'actuator' && (event.assets === null || event.assets.includes(asset)),
  );
  const sign = control.manipulates === 'coolantFlow' ? -1 : 1;
  const follow = control.actuatorS === 0 ? 1 : 1 - Math.exp(-stepS / control.actuatorS);
  let integral = clamp(steadyOutput, control);
  let output = integral;
  /** Of the sound actuator; `position` is what is left of it under faults. */
  let stem = integral;
  let position = integral;
  const heldAt = new Map<ActuatorEvent, number>();

  const step = (atS: number, setpointDegC: number, measuredDegC: number): void => {
    const error = sign * (setpointDegC - measuredDegC);
    const wanted = integral + control.gain * error;
    output = clamp(wanted, control);
    if (output === wanted || (wanted > control.max ? error < 0 : error > 0)) {
      integral += (control.gain * error * stepS) / control.integralS;
    }
    stem += follow * (output - stem);
    const before = position;
    position = stem;
    for (const fault of faults) position = faulty(fault, atS, position, before, heldAt);
    // A valve that comes loose moves on from where it was stuck.
    if (faults.some((fault) => fault.fault === 'stuck' && isOn(fault, atS))) stem = position;
  };
  return {
    step,
    get output() {
      return output;
    },
    get position() {
      return position;
    },
  };
}

function faulty(
  event: ActuatorEvent,
  atS: number,
  position: number,
  before: number,
  heldAt: Map<ActuatorEvent, number>,
): number {
  if (!isOn(event, atS)) return position;
  const weight = strength(event, atS);
  switch (event.fault) {
    case 'stuck': {
      const held = heldAt.get(event) ?? before;
      heldAt.set(event, held);
      return event.size === null ? held : held + weight * (event.size - held);
    }
    case 'limited':
      return Math.max(event.min, Math.min(event.max, position));
    case 'offset':
      return position + weight * (event.size ?? 0);
  }
}

const clamp = (value: number, { min, max }: ControlSettings): number => Math.max(min, Math.min(max, value));
