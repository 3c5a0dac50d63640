import { flagRate } from '../../operators/flagRate.ts';
import { readingMaker } from '../support.ts';
import type { Bench } from '../support.ts';
import { measureOperator } from './measureOperator.ts';

export const measure: Bench = (options) =>
  measureOperator(
    {
      name: 'flagRate',
      what: 'limits up and down',
      operator: flagRate({ maxRisePerS: 1000, maxFallPerS: 1000 }),
      item: readingMaker(1, 100),
    },
    options,
  );
