import { NO_ISSUES } from '../../operators/types.ts';
import type { Reading } from '../../operators/types.ts';
import { noise } from '../support.ts';

/** Where the tank rests with little conversion. */
export const COLD = {
  initialConcentrationMolPerL: 0.8773,
  initialTemperatureDegC: 51.33,
  coolantTemperatureDegC: 26.85,
} as const;

/** Noise: half the width, in the unit. */
export const REACTOR_SENSORS = [
  { sensor: 'temperature', unit: 'degC', level: COLD.initialTemperatureDegC, noise: 0.8 },
  { sensor: 'coolant_temperature', unit: 'degC', level: COLD.coolantTemperatureDegC, noise: 0.3 },
  { sensor: 'flow_rate', unit: 'L/min', level: 100, noise: 0.8 },
  { sensor: 'feed_temperature', unit: 'degC', level: 76.85, noise: 0.3 },
] as const;

const START = Date.UTC(2025, 9, 26);

/** All readings of one second: each sensor at its own quarter, reactors in turn. */
export function reactorReadings(reactors: number): (second: number) => Reading[] {
  const random = noise(1);
  const assets = Array.from({ length: reactors }, (_, i) => `R${i}`);
  let position = 0;
  return (second) =>
    REACTOR_SENSORS.flatMap(({ sensor, unit, level, noise: width }, quarter) =>
      assets.map((asset): Reading => {
        position += 1;
        const timestamp = START + second * 1000 + quarter * 250;
        const value = level + 2 * width * random();
        return {
          ...{ asset, sensor, timestamp, value, unit, quality: 'Good', issues: NO_ISSUES, imputed: false },
          received: {
            row: position,
            source: 'bench',
            position,
            arrivedAt: timestamp,
            value,
            unit,
            quality: 'Good',
          },
        };
      }),
    );
}
