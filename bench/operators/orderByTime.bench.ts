import { orderByTime } from '../../operators/orderByTime.ts';
import { readingMaker } from '../support.ts';
import type { Bench } from '../support.ts';
import { measureOperator } from './measureOperator.ts';

export const measure: Bench = (options) =>
  measureOperator(
    {
      name: 'orderByTime',
      what: 'in order, nothing waits',
      operator: orderByTime(),
      item: readingMaker(1, 100),
    },
    options,
  );
