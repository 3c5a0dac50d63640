import { updateTwin } from '../../operators/updateTwin.ts';
import { batchReactor } from '../../src/twin/batchReactor.ts';
import { readingMaker } from '../support.ts';
import type { Bench } from '../support.ts';
import { measureOperator } from './measureOperator.ts';

export const measure: Bench = (options) => {
  const model = batchReactor();
  const make = readingMaker(4, 100);
  const roles = Object.keys(model.quantities).map(
    (quantity) => [quantity, { quantity, staleAfterMs: 10_000 }] as const,
  );
  return measureOperator(
    {
      name: 'updateTwin',
      what: 'batchReactor, four sensors, a record a second',
      operator: updateTwin(model, { asset: 'R0', sensors: Object.fromEntries(roles) }),
      item: (i) => ({ ...make(i), estimate: null }),
    },
    options,
  );
};
