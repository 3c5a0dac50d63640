import { flagHampel } from '../../operators/flagHampel.ts';
import { readingMaker } from '../support.ts';
import type { Bench } from '../support.ts';
import { measureOperator } from './measureOperator.ts';

export const measure: Bench = (options) =>
  measureOperator(
    {
      name: 'flagHampel',
      what: 'window of 60 readings',
      operator: flagHampel(),
      item: readingMaker(1, 100),
    },
    options,
  );
