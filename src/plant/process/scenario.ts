/**
 * A scenario: everything that makes a simulated process plant, as plain data. One scenario gives one plant, byte for byte.
 * Times are seconds after the start. Written in YAML or made by code, it comes to be through `parseScenario`.
 */
export interface Scenario {
  readonly name: string;
  readonly seed: number;
  readonly durationS: number;
  /** Grid of physics and control. */
  readonly stepS: number;
  /** Time of the initial state, epoch milliseconds. */
  readonly startAt: number;
  /** Names of the reactors. */
  readonly assets: readonly string[];
  /** Relative standard deviation, between reactors, of what each starts with. */
  readonly spread: Readonly<Partial<Record<Knob, number>>>;
  readonly process: ProcessSettings;
  readonly control: ControlSettings;
  readonly disturbances: Readonly<Partial<Record<Knob, Disturbance>>>;
  readonly sensors: Readonly<Record<string, SensorSettings>>;
  readonly events: readonly PlantEvent[];
}

/** What a scenario can move while the plant runs, with the unit in the name; without one it is a factor. */
export const KNOBS = {
  /** Of the reactor's temperature, for the control loop. */
  setpointDegC: { min: -100, max: 1000 },
  /** Of the feed. */
  flowRateLPerMin: { min: 0, max: 1e6 },
  feedTemperatureDegC: { min: -100, max: 1000 },
  feedConcentrationMolPerL: { min: 0, max: 1000 },
  /** Temperature of the coolant at the inlet of the jacket, unless the control loop sets it. */
  coolantInletTemperatureDegC: { min: -100, max: 1000 },
  /** Flow of the coolant as a part of the nominal one: 0 = cooling is lost. */
  coolantFlow: { min: 0, max: 10 },
  /** Of what it is when clean: fouling makes it less. */
  heatTransfer: { min: 0, max: 10 },
  /** Of the reaction rate that the parameters give. */
  reactionRate: { min: 0, max: 1000 },
  /** Heat that leaves for the surroundings, per second, as a part of the heat that the content holds above them. */
  heatLossPerS: { min: 0, max: 1 },
} as const;
export type Knob = keyof typeof KNOBS;
export const KNOB_NAMES = Object.keys(KNOBS).filter((name): name is Knob => name in KNOBS);

/** Quantities of the plant, named as the model names what it measures and shows, with the unit in which sensors report. */
export const QUANTITIES = {
  temperature: 'degC',
  concentration: 'mol/L',
  conversion: '1',
  flow_rate: 'L/min',
  feed_concentration: 'mol/L',
  feed_temperature: 'degC',
  /** Inside the jacket. */
  coolant_temperature: 'degC',
  coolant_flow_rate: 'L/min',
  coolant_inlet_temperature: 'degC',
  setpoint: 'degC',
  /** What the control loop asks for: degC at the coolant's inlet, or the opening of the valve, 0 to 1. */
  controller_output: '1',
  /** Of the wall as it is. */
  heat_transfer: 'W/K',
  /** What the reaction rate is of the one that the parameters give. */
  reaction_rate_factor: '1',
} as const;
export type Quantity = keyof typeof QUANTITIES;
export const QUANTITY_NAMES = Object.keys(QUANTITIES).filter((name): name is Quantity => name in QUANTITIES);

export interface ProcessSettings {
  /** Of the reactor, as in the configuration of the model `cstr`; coolantFlowRateLPerMin is the nominal flow. */
  readonly parameters: Readonly<Record<string, number>>;
  /** What the knobs start with. */
  readonly start: Readonly<Record<Knob, number>>;
  /** null = the first set-point. */
  readonly initialTemperatureDegC: number | null;
  /** null = the steady concentration at the initial temperature. */
  readonly initialConcentrationMolPerL: number | null;
  /** Surroundings, for `heatLossPerS`. */
  readonly ambientDegC: number;
  /** Relative change of the heat transfer per kelvin above the first set-point: a mismatch no model is told of. */
  readonly heatTransferPerK: number;
}

export interface ControlSettings {
  /** coolantTemperature: the loop sets the supply's temperature, degC. coolantFlow: the opening of the valve, 0 to 1. */
  readonly manipulates: 'coolantTemperature' | 'coolantFlow' | 'nothing';
  /** The sensor that the loop sees, with all its faults; '' = a transmitter of its own without noise. */
  readonly sensor: string;
  /** Output per kelvin of control error: degC/K or 1/K, taken as positive. */
  readonly gain: number;
  /** > 0 */
  readonly integralS: number;
  readonly min: number;
  readonly max: number;
  /** Time constant of the valve or of the supply's own temperature loop. */
  readonly actuatorS: number;
}

/** A disturbance that comes and goes: Ornstein and Uhlenbeck's process on top of the knob. */
export interface Disturbance {
  readonly stdDev: number;
  readonly timeConstantS: number;
}

export interface SensorSettings {
  readonly measures: Quantity;
  readonly everyS: number;
  /** Standard deviation of each sample's time about its place on the grid; at most a quarter of `everyS`. */
  readonly jitterS: number;
  /** White noise. */
  readonly stdDev: number;
  /** Noise that is correlated in time, on top. */
  readonly colouredStdDev: number;
  readonly colouredTimeConstantS: number;
  readonly bias: number;
  /** Smallest step of the value; 0 = none. */
  readonly resolution: number;
  readonly min: number;
  readonly max: number;
  /** Probability of a sample that does not come. */
  readonly dropout: number;
}

export const SENSOR_FAULTS = [
  'bias',
  'drift',
  'scale',
  'stuck',
  'noise',
  'spike',
  'dropout',
  'silent',
  'bad',
  'quantised',
] as const;
export type SensorFault = (typeof SENSOR_FAULTS)[number];

export const ACTUATOR_FAULTS = ['stuck', 'limited', 'offset'] as const;
export type ActuatorFault = (typeof ACTUATOR_FAULTS)[number];

export interface EventTime {
  readonly at: number;
  /** null = to the end. */
  readonly for: number | null;
  /** Time to full strength (linear), or the time constant (exponential); 0 = at once. */
  readonly ramp: number;
  readonly shape: 'linear' | 'exponential';
  /** null = all. */
  readonly assets: readonly string[] | null;
}

/** Something that happens to the process: `set` goes to a value, `scale` to a multiple, `add` to a difference. */
export interface ProcessEvent extends EventTime {
  readonly kind: 'process';
  readonly set: Readonly<Partial<Record<Knob, number>>>;
  readonly scale: Readonly<Partial<Record<Knob, number>>>;
  readonly add: Readonly<Partial<Record<Knob, number>>>;
}

/** Something that happens to one sensor of each reactor; `size` as docs/plant.md says for each fault. */
export interface SensorEvent extends EventTime {
  readonly kind: 'sensor';
  readonly sensor: string;
  readonly fault: SensorFault;
  readonly size: number;
  readonly probability: number;
}

/** stuck: stays where it is, or goes to `size`; limited: stays within min and max; offset: misses by `size`. */
export interface ActuatorEvent extends EventTime {
  readonly kind: 'actuator';
  readonly fault: ActuatorFault;
  readonly size: number | null;
  readonly min: number;
  readonly max: number;
}

export type PlantEvent = ProcessEvent | SensorEvent | ActuatorEvent;

/** Strength of an event at a time, 0 to 1. */
export function strength(event: EventTime, atS: number): number {
  const since = atS - event.at;
  if (since < 0 || (event.for !== null && since >= event.for)) return 0;
  if (event.ramp === 0) return 1;
  return event.shape === 'linear' ? Math.min(1, since / event.ramp) : 1 - Math.exp(-since / event.ramp);
}

/** True from `at` on until it ends, whatever the ramp. */
export const isOn = (event: EventTime, atS: number): boolean =>
  atS >= event.at && (event.for === null || atS < event.at + event.for);
