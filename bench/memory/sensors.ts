import { createProcessor } from '../../src/processor.ts';
import type { Processor } from '../../src/processor.ts';
import { createLiveView } from '../../src/live.ts';
import { StateRegistry } from '../../src/stateRegistry.ts';
import { openTwins } from '../../src/twin/registry.ts';
import { childProcess } from '../child.ts';
import { plantConfig } from '../plantConfig.ts';
import { readingMaker } from '../support.ts';

export interface MemoryArgs {
  readonly sensors: number;
  readonly readingsPerSensor: number;
}

export interface MemoryFigures {
  readonly bareBytes: number;
  readonly bytes: number;
  readonly heapBytes: number;
}

const WARM_UP_SENSORS = 4;
const WARM_UP_READINGS = 50_000;
const EVERY_MS = 1000;

/** Resident memory before and after the streams, operators and twins of so many sensors have come to be and been fed. */
await childProcess<MemoryArgs>(
  import.meta.url,
  async ({ sensors, readingsPerSensor }): Promise<MemoryFigures> => {
    const kept: unknown[] = [];
    // Code and the young generation have their size before the first figure is taken.
    const small = await open(WARM_UP_SENSORS);
    feed(small.processor, WARM_UP_SENSORS, WARM_UP_READINGS);
    const bare = collected();
    const parts = await open(sensors);
    feed(parts.processor, sensors, sensors * readingsPerSensor);
    const full = collected();
    kept.push(small, parts);
    if (parts.live.assets().length !== sensors / 4) throw new Error('not every asset is there');
    return { bareBytes: bare.rss, bytes: full.rss - bare.rss, heapBytes: full.heapUsed - bare.heapUsed };
  },
);

async function open(sensors: number): Promise<{
  processor: Processor;
  live: ReturnType<typeof createLiveView>;
}> {
  const config = plantConfig(sensors);
  const twins = await openTwins(config);
  const registry = new StateRegistry();
  const processor = createProcessor({ config, registry, twins, lastRow: 0, onDrop: () => undefined });
  const health = (): never => {
    throw new Error('nobody asks');
  };
  const { outputs } = processor;
  const live = createLiveView({
    config,
    registry,
    twins,
    sources: [],
    outputs,
    now: () => Date.now(),
    health,
  });
  return { processor, live };
}

function feed(processor: Processor, sensors: number, readings: number): void {
  const make = readingMaker(sensors, EVERY_MS);
  for (let i = 0; i < readings; i++) processor.process(make(i));
}

function collected(): NodeJS.MemoryUsage {
  if (globalThis.gc === undefined) throw new Error('needs --expose-gc');
  for (let i = 0; i < 5; i++) globalThis.gc();
  return process.memoryUsage();
}
