import { windowAggregate } from '../../operators/windowAggregate.ts';
import { readingMaker } from '../support.ts';
import type { Bench } from '../support.ts';
import { measureOperator } from './measureOperator.ts';

export const measure: Bench = (options) =>
  measureOperator(
    {
      name: 'windowAggregate',
      what: 'ten readings a window',
      operator: windowAggregate({ sizeMs: 1000 }),
      item: readingMaker(1, 100),
    },
    options,
  );
