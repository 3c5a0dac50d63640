import { flagOutliers } from '../../operators/flagOutliers.ts';
import { readingMaker } from '../support.ts';
import type { Bench } from '../support.ts';
import { measureOperator } from './measureOperator.ts';

export const measure: Bench = (options) =>
  measureOperator(
    {
      name: 'flagOutliers',
      what: 'window of 100 readings',
      operator: flagOutliers(),
      item: readingMaker(1, 100),
    },
    options,
  );
