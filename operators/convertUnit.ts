import { mapStage } from './stage.ts';
import type { Stage } from './stage.ts';
import { stateCell } from './stateCell.ts';
import { applyConversion, unitConversion } from './steps/unit.ts';
import type { UnitConversion } from './steps/unit.ts';
import { withIssue } from './types.ts';
import type { Reading } from './types.ts';

/**
 * Converts readings to one unit.
 *
 *     source               --a--b--c--|    a 185 degF, b 85 without a unit, c 85 bar
 *     convertUnit('degC')
 *     result               --A--B--C--|    A 85 degC, B 85 degC, C 85 bar, Bad, "Cannot convert from bar to degC"
 *
 * A reading without a unit is taken to be in the target unit. A unit that is unknown or of another dimension makes
 * the reading Bad and leaves its value alone. `''` as the target passes everything as it is. A target that is not in
 * the registry is allowed: only readings with the same name, or without one, match it.
 *
 * State: none. Drops: none. Errors: RangeError on a blank target, when composed.
 *
 * @param unit the target, by any of its names; readings carry it as spelled here.
 * @example
 * readings$.pipe(convertUnit('degC'))
 */
export function convertUnit(unit: string): Stage<Reading, Reading> {
  if (unit !== '' && unit.trim() === '') {
    throw new RangeError(
      `unit: '${unit}' is not valid, expected a unit, or '' to leave readings as they are`,
    );
  }
  // A sensor keeps to one unit, so the last conversion is nearly always the next.
  const last = (): LastConversion => ({ from: unit, conversion: undefined });
  return mapStage(stateCell(last), unit, (state, reading: Reading, to) =>
    to === '' || reading.unit === to ? reading : converted(reading, to, state),
  );
}

interface LastConversion {
  from: string;
  conversion: UnitConversion | undefined;
}

function converted(reading: Reading, unit: string, last: LastConversion): Reading {
  if (reading.unit === '') return { ...reading, unit };
  if (reading.unit !== last.from) {
    last.from = reading.unit;
    last.conversion = unitConversion(last.from, unit);
  }
  if (last.conversion === undefined) {
    return withIssue(reading, 'Bad', {
      check: 'unit',
      message: `Cannot convert from ${last.from} to ${unit}`,
    });
  }
  if (reading.value === null) return { ...reading, unit };
  const value = applyConversion(reading.value, last.conversion);
  if (Number.isFinite(value)) return { ...reading, value, unit };
  const message = `Cannot convert ${reading.value} from ${last.from} to ${unit}: the result is not finite`;
  return withIssue(reading, 'Bad', { check: 'unit', message });
}
