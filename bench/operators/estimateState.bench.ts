import { estimateState } from '../../operators/estimateState.ts';
import { readingMaker } from '../support.ts';
import type { Bench } from '../support.ts';
import { measureOperator } from './measureOperator.ts';

export const measure: Bench = async (options) => [
  ...(await measureOperator(
    { name: 'estimateState', what: 'two states', operator: estimateState(), item: readingMaker(1, 100) },
    options,
  )),
  ...(await measureOperator(
    {
      name: 'estimateState',
      what: 'whiteAcceleration',
      operator: estimateState({ mode: 'whiteAcceleration' }),
      item: readingMaker(1, 100),
    },
    options,
  )),
  ...(await measureOperator(
    {
      name: 'estimateState',
      what: 'adaptive, three models',
      operator: estimateState({ mode: 'adaptive' }),
      item: readingMaker(1, 100),
    },
    options,
  )),
];
