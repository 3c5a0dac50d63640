import { connect, filter } from 'rxjs';
import type { MonoTypeOperatorFunction } from 'rxjs';
import { conflate } from '../../operators/conflate.ts';
import type { Reading } from '../../operators/types.ts';
import { readingMaker } from '../support.ts';
import type { Bench } from '../support.ts';
import { measureOperator } from './measureOperator.ts';

const SENSORS = 100;

/** Releases after every tenth reading of each sensor. */
const tenthOf: MonoTypeOperatorFunction<Reading> = (readings) =>
  readings.pipe(
    connect((shared) =>
      shared.pipe(
        conflate(
          ({ asset, sensor }) => `${asset}/${sensor}`,
          shared.pipe(filter((_, i) => i % (10 * SENSORS) === 0)),
        ),
      ),
    ),
  );

export const measure: Bench = (options) =>
  measureOperator(
    {
      name: 'conflate',
      what: `${SENSORS} keys, one item of ten goes on`,
      operator: tenthOf,
      item: readingMaker(SENSORS, 100),
    },
    options,
  );
