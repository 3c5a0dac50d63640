import { imputeMissing } from '../../operators/imputeMissing.ts';
import { readingMaker } from '../support.ts';
import type { Bench } from '../support.ts';
import { measureOperator } from './measureOperator.ts';

export const measure: Bench = (options) =>
  measureOperator(
    {
      name: 'imputeMissing',
      what: 'nothing missing',
      operator: imputeMissing({ expectedIntervalMs: 100 }),
      item: readingMaker(1, 100),
    },
    options,
  );
