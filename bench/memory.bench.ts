import { runChild } from './child.ts';
import type { MemoryArgs, MemoryFigures } from './memory/sensors.ts';
import type { Bench } from './support.ts';

const READINGS_PER_SENSOR = 200;
/** So much may the memory a sensor differ between the two sizes: linear growth, with what a page size makes of it. */
const LINEAR_WITHIN = 1.5;

/** What a sensor costs: its stream, the state of its operators, its latest reading and its share of a twin. */
export const measure: Bench = async ({ quick }) => {
  const at = (sensors: number): Promise<MemoryFigures> => {
    const args: MemoryArgs = { sensors, readingsPerSensor: quick ? 20 : READINGS_PER_SENSOR };
    return runChild<MemoryFigures>('memory/sensors.ts', args, ['--expose-gc']);
  };
  const thousand = await at(1000);
  const tenThousand = await at(10_000);
  const kb = thousand.bytes / 1000 / 1000;
  const kb10 = tenThousand.bytes / 10_000 / 1000;
  const heapKb = tenThousand.heapBytes / 10_000 / 1000;
  const mb = (bytes: number): string => (bytes / 1e6).toFixed(0);
  return [
    {
      name: 'resident memory at 1000 and 10 000 sensors, without the store',
      result: `${kb.toFixed(1)} and ${kb10.toFixed(1)} kB a sensor (heap in use: ${heapKb.toFixed(1)} kB)`,
      baseline: `the process before: ${mb(thousand.bareBytes)} and ${mb(tenThousand.bareBytes)} MB`,
      ratio: `+${mb(thousand.bytes)} and +${mb(tenThousand.bytes)} MB`,
      target: 'growth linear, ≤ 20 kB a sensor',
      reached: kb <= 20 && kb10 <= 20 && kb10 <= LINEAR_WITHIN * kb,
    },
  ];
};
