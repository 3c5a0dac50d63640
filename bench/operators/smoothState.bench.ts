import { smoothState } from '../../operators/smoothState.ts';
import { readingMaker } from '../support.ts';
import type { Bench } from '../support.ts';
import { measureOperator } from './measureOperator.ts';

export const measure: Bench = async (options) => [
  ...(await measureOperator(
    {
      name: 'smoothState',
      what: 'lag of 50 readings, one by one',
      operator: smoothState({ lagMs: 5000 }),
      item: readingMaker(1, 100),
    },
    options,
  )),
  ...(await measureOperator(
    {
      name: 'smoothState',
      what: 'lag of 50 to 100 readings, 50 together',
      operator: smoothState({ lagMs: 5000, everyMs: 5000 }),
      item: readingMaker(1, 100),
    },
    options,
  )),
];
