/**
 * Units of measure by dimension, with exact rational factors.
 *
 * A value v in a unit is (v - zero) * scale in its dimension's base unit. Sources: BIPM, The International System of
 * Units, 9th edition (2019): degC, bar, L, min, h; NIST SP 811 (2008), appendix B: degF, atm, psi (pound-force
 * 4.4482216152605 N over a square inch of 0.0254 m), US gallon (231 cubic inches = 3.785411784 L).
 */
interface Unit {
  readonly dimension: string;
  /** Base units in one unit: numerator and denominator. */
  readonly scale: readonly [bigint, bigint];
  /** What this unit reads at the base unit's zero; 0 but for temperatures. */
  readonly zero: number;
}

/** target = (v - subtract) * multiply / divide + add. */
export interface UnitConversion {
  readonly subtract: number;
  readonly multiply: number;
  readonly divide: number;
  readonly add: number;
}

/** Canonical name -> scale in base units, and the other names that it goes by. */
type Entry = readonly [name: string, num: bigint, den: bigint, aliases: readonly string[], zero?: number];

const DIMENSIONS: Readonly<Record<string, readonly Entry[]>> = {
  'temperature': [
    ['degC', 1n, 1n, ['°C', '℃', 'ºC', 'C', 'Cel', 'celsius', 'degree_celsius']],
    ['degF', 5n, 9n, ['°F', '℉', 'ºF', 'F', '[degF]', 'fahrenheit'], 32],
    ['K', 1n, 1n, ['kelvin', '°K', 'degK'], 273.15],
  ],
  'pressure': [
    ['Pa', 1n, 1n, ['pascal']],
    ['kPa', 1000n, 1n, ['kilopascal']],
    ['MPa', 1_000_000n, 1n, ['megapascal']],
    ['bar', 100_000n, 1n, []],
    ['mbar', 100n, 1n, ['millibar', 'hPa']],
    ['psi', 44_482_216_152_605n, 6_451_600_000n, ['[psi]', 'lbf/in2', 'PSI']],
    ['atm', 101_325n, 1n, []],
  ],
  'volume flow': [
    ['m3/s', 1n, 1n, []],
    ['m3/h', 1n, 3600n, ['m3/hr', 'cmh']],
    ['m3/min', 1n, 60n, []],
    ['L/s', 1n, 1000n, ['l/s']],
    ['L/min', 1n, 60_000n, ['l/min', 'lpm', 'LPM']],
    ['L/h', 1n, 3_600_000n, ['l/h', 'L/hr', 'l/hr']],
    ['mL/min', 1n, 60_000_000n, ['ml/min']],
    ['gal/min', 3_785_411_784n, 60_000_000_000_000n, ['gpm', 'GPM', '[gal_us]/min']],
  ],
  'mass': [
    ['kg', 1n, 1n, ['kilogram']],
    ['g', 1n, 1000n, ['gram']],
    ['t', 1000n, 1n, ['tonne']],
  ],
  'mass flow': [
    ['kg/s', 1n, 1n, []],
    ['kg/min', 1n, 60n, []],
    ['kg/h', 1n, 3600n, ['kg/hr']],
    ['g/s', 1n, 1000n, []],
    ['t/h', 1000n, 3600n, []],
  ],
  'time': [
    ['s', 1n, 1n, ['sec', 'second', 'seconds']],
    ['ms', 1n, 1000n, ['msec']],
    ['min', 60n, 1n, ['minute', 'minutes']],
    ['h', 3600n, 1n, ['hr', 'hour', 'hours']],
  ],
  'fraction': [
    ['1', 1n, 1n, ['fraction', 'ratio']],
    ['%', 1n, 100n, ['percent', 'pct']],
  ],
  'acidity': [['pH', 1n, 1n, ['ph', 'PH', '[pH]']]],
  'rotation': [['rpm', 1n, 1n, ['RPM', '1/min', 'r/min', 'rev/min']]],
  'voltage': [
    ['V', 1n, 1n, ['volt']],
    ['mV', 1n, 1000n, []],
  ],
  'current': [
    ['A', 1n, 1n, ['ampere']],
    ['mA', 1n, 1000n, []],
  ],
  'power': [
    ['W', 1n, 1n, ['watt']],
    ['kW', 1000n, 1n, ['kilowatt']],
    ['MW', 1_000_000n, 1n, ['megawatt']],
  ],
};

const UNITS = new Map<string, Unit>();
const NAMES = new Map<string, string>();
for (const [dimension, entries] of Object.entries(DIMENSIONS)) {
  for (const [name, num, den, aliases, zero = 0] of entries) {
    UNITS.set(name, { dimension, scale: [num, den], zero });
    for (const alias of [name, ...aliases]) NAMES.set(alias, name);
  }
}

/**
 * The canonical name of a unit, e.g. `degC` for `°C`, `Celsius` or `C`; undefined where it is not known.
 * Case counts (mPa is not MPa), except in words of five letters and more.
 */
export function normaliseUnit(unit: string): string | undefined {
  const plain = unit.replaceAll(/\s+/g, '').replaceAll('³', '3').replaceAll('²', '2').replace('m^3', 'm3');
  return NAMES.get(plain) ?? (/^[a-z_]{5,}$/i.test(plain) ? NAMES.get(plain.toLowerCase()) : undefined);
}

/** How to get from one unit to another; undefined where a unit is unknown or the dimensions differ. */
export function unitConversion(from: string, to: string): UnitConversion | undefined {
  const source = UNITS.get(normaliseUnit(from) ?? '');
  const target = UNITS.get(normaliseUnit(to) ?? '');
  if (source === undefined || target?.dimension !== source.dimension) return undefined;
  const multiply = source.scale[0] * target.scale[1];
  const divide = source.scale[1] * target.scale[0];
  const common = greatestCommonDivisor(multiply, divide);
  const sameScale = multiply === divide;
  return {
    // Between units of one scale the zeros become one difference, so that a round trip loses the least.
    subtract: sameScale ? 0 : source.zero,
    multiply: Number(multiply / common),
    divide: Number(divide / common),
    add: sameScale ? target.zero - source.zero : target.zero,
  };
}

/** Applies a conversion to one value. */
export const applyConversion = (value: number, { subtract, multiply, divide, add }: UnitConversion): number =>
  ((value - subtract) * multiply) / divide + add;

/** The value in the unit `to`; undefined where a unit is unknown or the dimensions differ. Equal names always match. */
export function convertValue(value: number, from: string, to: string): number | undefined {
  if (from === to) return value;
  const conversion = unitConversion(from, to);
  return conversion === undefined ? undefined : applyConversion(value, conversion);
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : greatestCommonDivisor(b, a % b);
}
