import { validateRange } from '../../operators/validateRange.ts';
import { readingMaker } from '../support.ts';
import type { Bench } from '../support.ts';
import { measureOperator } from './measureOperator.ts';

export const measure: Bench = (options) =>
  measureOperator(
    {
      name: 'validateRange',
      what: 'readings in range',
      operator: validateRange({ min: -50, max: 400 }),
      item: readingMaker(1, 100),
    },
    options,
  );
