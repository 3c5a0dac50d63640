import { estimateState } from '../../operators/estimateState.ts';
import { readingMaker } from '../support.ts';
import type { Bench } from '../support.ts';
import { measureOperator } from './measureOperator.ts';

export const measure: Bench = (options) =>
  measureOperator(
    { name: 'estimateState', what: 'two states', operator: estimateState(), item: readingMaker(1, 100) },
    options,
  );
