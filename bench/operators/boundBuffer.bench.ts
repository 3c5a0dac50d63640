import { boundBuffer } from '../../operators/boundBuffer.ts';
import type { Reading } from '../../operators/types.ts';
import { readingMaker } from '../support.ts';
import type { Bench } from '../support.ts';
import { measureOperator } from './measureOperator.ts';

export const measure: Bench = (options) =>
  measureOperator(
    {
      name: 'boundBuffer',
      what: 'batches of 500 to an asynchronous consumer',
      operator: boundBuffer<Reading>({ capacity: 1000 }, () => Promise.resolve()),
      item: readingMaker(1000, 100),
      turn: 500,
    },
    options,
  );
