import { runChild } from './child.ts';
import type { MemoryArgs, MemoryFigures } from './memory/sensors.ts';
import type { Bench } from './support.ts';

const READINGS_PER_SENSOR = 200;
/** So much may the heap a sensor differ between the two sizes. */
const LINEAR_WITHIN = 1.2;

/** What a sensor costs: its stream, the state of its operators, its latest reading and its share of a twin. */
export const measure: Bench = async ({ quick }) => {
  const at = (sensors: number): Promise<MemoryFigures> => {
    const args: MemoryArgs = { sensors, readingsPerSensor: quick ? 20 : READINGS_PER_SENSOR };
    return runChild<MemoryFigures>('memory/sensors.ts', args, ['--expose-gc']);
  };
  const thousand = await at(1000);
  const tenThousand = await at(10_000);
  const kb = (bytes: number, sensors: number): number => bytes / sensors / 1000;
  const resident = kb(tenThousand.bytes, 10_000);
  // What V8 takes once for its young generation, whatever the number of sensors, is not in the slope.
  const slope = kb(tenThousand.bytes - thousand.bytes, 9000);
  const heap = kb(thousand.heapBytes, 1000);
  const heap10 = kb(tenThousand.heapBytes, 10_000);
  const mb = (bytes: number): string => (bytes / 1e6).toFixed(0);
  return [
    {
      name: 'resident memory at 1000 and 10 000 sensors, without the store',
      result: `${kb(thousand.bytes, 1000).toFixed(1)} and ${resident.toFixed(1)} kB a sensor, ${slope.toFixed(1)} kB for each more; heap in use ${heap.toFixed(1)} and ${heap10.toFixed(1)} kB`,
      baseline: `the process before: ${mb(thousand.bareBytes)} and ${mb(tenThousand.bareBytes)} MB`,
      ratio: `+${mb(thousand.bytes)} and +${mb(tenThousand.bytes)} MB`,
      target: 'growth linear, ≤ 20 kB a sensor',
      reached:
        resident <= 20 && slope <= 20 && Math.max(heap, heap10) <= LINEAR_WITHIN * Math.min(heap, heap10),
    },
  ];
};
