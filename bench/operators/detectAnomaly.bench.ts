import { detectAnomaly } from '../../operators/detectAnomaly.ts';
import { noise, readingMaker } from '../support.ts';
import type { Bench } from '../support.ts';
import { measureOperator } from './measureOperator.ts';

export const measure: Bench = (options) => {
  const make = readingMaker(4, 1000);
  const random = noise(1);
  const sensors = Array.from({ length: 4 }, (_, i) => make(i).sensor);
  return measureOperator(
    {
      name: 'detectAnomaly',
      what: 'four sensors of one asset, each once an interval, a record a minute',
      operator: detectAnomaly({ asset: 'R0', sensors }),
      item: (i) => ({ ...make(i), value: random() }),
    },
    options,
  );
};
