import type { Layout } from './layout.ts';
import type { ProcessModel } from './model.ts';
import type { Role } from './roles.ts';

/** How a fault goes on from its onset: at once, growing by the hour, or in proportion to what is measured. */
export type Shape = 'bias' | 'drift' | 'scale' | 'change';

/** Something that may be wrong, up to its size and onset. */
export interface Fault {
  /** The quantity of the sensor, or the parameter or input of the process. */
  readonly which: string;
  readonly kind: 'sensorFault' | 'processFault';
  readonly shape: Shape;
  /** compared: place among the quantities; told: among the inputs; parameter, input: among those; estimated: in z. */
  readonly on: 'compared' | 'told' | 'parameter' | 'input' | 'estimated';
  readonly index: number;
  /** Inner value at 0 of the sensor, and of one unit of the sensor: where its values are converted. */
  readonly zero: number;
  readonly slope: number;
  /** What a size of 1 is worth, where it is a parameter: its nominal value, so that sizes are relative. */
  readonly nominal: number;
  /** Of the size: of the sensor, with /h for drifts; 1 for what is relative. */
  readonly unit: string;
}

const SENSOR_SHAPES = ['bias', 'drift', 'scale'] as const;
const PROCESS_SHAPES = ['change', 'drift'] as const;

/**
 * All that may be wrong with sensors and process.
 *
 * @throws RangeError where a name is neither a parameter nor an input of the model.
 */
export function faultsOf(
  model: ProcessModel,
  layout: Layout,
  roles: ReadonlyMap<string, Role>,
  parameters: readonly string[] | null,
): Fault[] {
  const sensors = [...roles].flatMap(([which, role]) => {
    const zero = role.toInner(0);
    const slope = role.toInner(1) - zero;
    const index = role.kind === 'told' ? role.index : role.quantity;
    const unit = model.measured[which]?.unit ?? '';
    return SENSOR_SHAPES.map((shape): Fault => {
      const size = shape === 'scale' ? '1' : shape === 'drift' ? `${unit}/h` : unit;
      return { which, kind: 'sensorFault', shape, on: role.kind, index, zero, slope, nominal: 1, unit: size };
    });
  });
  const names = parameters ?? layout.estimated.map(({ name }) => name);
  const process = names.flatMap((which) => {
    const { on, index, nominal, relative, unit } = placeOf(model, layout, which);
    return PROCESS_SHAPES.map((shape): Fault => {
      const size = relative ? '1' : unit;
      const inUnit = shape === 'drift' ? (relative ? '1/h' : `${unit}/h`) : size;
      return { which, kind: 'processFault', shape, on, index, zero: 0, slope: 1, nominal, unit: inUnit };
    });
  });
  return [...sensors, ...process];
}

interface Place {
  readonly on: Fault['on'];
  readonly index: number;
  readonly nominal: number;
  readonly relative: boolean;
  readonly unit: string;
}

function placeOf(model: ProcessModel, layout: Layout, name: string): Place {
  const k = layout.estimated.findIndex((each) => each.name === name);
  const estimated = layout.estimated[k];
  if (estimated !== undefined) {
    const { log, initial, unit } = estimated;
    const relative = log || initial !== 0;
    const nominal = log ? 1 : relative ? Math.abs(initial) : 1;
    return { on: 'estimated', index: layout.states + k, nominal, relative, unit };
  }
  for (const [on, list] of [
    ['parameter', model.parameters],
    ['input', model.inputs],
  ] as const) {
    const index = list.findIndex((each) => each.name === name);
    const found = list[index];
    if (found === undefined) continue;
    const relative = found.initial !== 0;
    return { on, index, nominal: relative ? Math.abs(found.initial) : 1, relative, unit: found.unit };
  }
  const known = [...model.parameters, ...model.inputs].map((each) => each.name).join(', ');
  throw new RangeError(`diagnosis.parameters: ${name} is not valid, expected some of ${known}`);
}

/** What a fault of size 1 adds to an inner value at a time after its onset. */
export function unitEffect(fault: Fault, sinceS: number, inner: number): number {
  if (sinceS < 0) return 0;
  switch (fault.shape) {
    case 'bias':
    case 'change':
      return fault.slope * fault.nominal;
    case 'drift':
      return (fault.slope * fault.nominal * sinceS) / 3600;
    case 'scale':
      return inner - fault.zero;
  }
}
