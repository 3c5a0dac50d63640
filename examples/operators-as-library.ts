/**
 * The operators without the service: any Observable of readings can be cleaned.
 *
 *     npm install && npm run build && npx node examples/operators-as-library.ts
 */
import { from } from 'rxjs';
import { NO_ISSUES, flagOutliers, flagSpikes, imputeMissing, validateRange } from 'rxtwin/operators';
import type { Reading } from 'rxtwin/operators';

/** A temperature of reactor R101 every second; the third second is lost, one value is missing, three are wrong. */
const values: readonly (number | null | 'lost')[] = [
  ...([85.0, 85.2, 'lost', 84.9, 85.1, 85.0, 84.8, 85.2, 85.1, 84.9, 85.0, 85.1, 84.9] as const),
  null, // the sensor sent no value
  500, // impossible
  120, // possible, but not within a second
  87.5, // possible, but unlike the last readings
  85.1,
];

const readings: readonly Reading[] = values.flatMap((value, second) =>
  value === 'lost'
    ? []
    : {
        asset: 'R101',
        sensor: 'temperature',
        timestamp: Date.UTC(2025, 9, 26, 10, 30, second),
        value,
        unit: 'degC',
        quality: 'Good',
        issues: NO_ISSUES,
        imputed: false,
        received: null,
      },
);

from(readings)
  .pipe(
    validateRange({ min: -50, max: 400 }),
    flagOutliers({ windowSize: 60 }),
    flagSpikes({ maxRelativeChange: 0.2 }),
    imputeMissing({ expectedIntervalMs: 1000 }),
  )
  .subscribe({
    next: ({ timestamp, value, unit, quality, issues }) => {
      const time = new Date(timestamp).toISOString().slice(11, 19);
      const reasons = issues.map(({ message }) => message).join('; ');
      console.log(
        `${time}  ${String(value).padStart(6)} ${unit}  ${quality.padEnd(9)}  ${reasons}`.trimEnd(),
      );
    },
    error: (error: unknown) => {
      console.error(error);
      process.exitCode = 1;
    },
  });
