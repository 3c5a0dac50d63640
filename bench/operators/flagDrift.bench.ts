import { flagDrift } from '../../operators/flagDrift.ts';
import { readingMaker } from '../support.ts';
import type { Bench } from '../support.ts';
import { measureOperator } from './measureOperator.ts';

export const measure: Bench = async (options) => {
  const methods = ['cusum', 'ewma'] as const;
  const measures = [];
  for (const method of methods) {
    const operator = flagDrift({ method });
    const item = readingMaker(1, 100);
    measures.push(...(await measureOperator({ name: 'flagDrift', what: method, operator, item }, options)));
  }
  return measures;
};
