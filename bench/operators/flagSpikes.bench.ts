import { flagSpikes } from '../../operators/flagSpikes.ts';
import { readingMaker } from '../support.ts';
import type { Bench } from '../support.ts';
import { measureOperator } from './measureOperator.ts';

export const measure: Bench = (options) =>
  measureOperator(
    {
      name: 'flagSpikes',
      what: 'readings without spikes',
      operator: flagSpikes(),
      item: readingMaker(1, 100),
    },
    options,
  );
