import { convertUnit } from '../../operators/convertUnit.ts';
import { readingMaker } from '../support.ts';
import type { Bench } from '../support.ts';
import { measureOperator } from './measureOperator.ts';

/** Half of the readings need no conversion, half come in degF. */
export const measure: Bench = (options) => {
  const make = readingMaker(1, 100);
  return measureOperator(
    {
      name: 'convertUnit',
      what: 'every second reading converted',
      operator: convertUnit('degC'),
      item: (i) => (i % 2 === 0 ? make(i) : { ...make(i), unit: 'degF' }),
    },
    options,
  );
};
