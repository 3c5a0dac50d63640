import { flagStuck } from '../../operators/flagStuck.ts';
import { readingMaker } from '../support.ts';
import type { Bench } from '../support.ts';
import { measureOperator } from './measureOperator.ts';

export const measure: Bench = (options) =>
  measureOperator(
    {
      name: 'flagStuck',
      what: 'a value that moves',
      operator: flagStuck({ maxDurationMs: 60_000 }),
      item: readingMaker(1, 100),
    },
    options,
  );
