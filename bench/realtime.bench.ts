import { runChild, startChild } from './child.ts';
import type { Child } from './child.ts';
import type { ReceiverArgs } from './mqtt/bareReceiver.ts';
import { startBroker } from './mqtt/broker.ts';
import type { Latencies } from './realtime/latency.ts';
import type { ServiceFigures } from './realtime/service.ts';
import type { Bench } from './support.ts';

const SENSORS = 1000;
const SECONDS = 25;
/** CPU time of one cycle of 1000 sensors at 1 Hz in the sequential design that this service replaces. */
const REFERENCE_MS_PER_S = 800;

/** 1000 sensors at 1 Hz, spread evenly over each second: what the service costs, and how far its twins are behind. */
export const measure: Bench = async ({ quick }) => {
  const seconds = quick ? 8 : SECONDS;
  const broker = await startBroker();
  try {
    const { url, protocolVersion } = broker;
    const args: ReceiverArgs = { url, protocolVersion, qos: 1, sensors: SENSORS, count: seconds * SENSORS };
    const run = async <T>(child: Child<T>): Promise<T> => {
      await child.ready;
      await runChild('mqtt/publisher.ts', { ...args, rate: SENSORS, everyMs: null });
      child.finish();
      return child.result;
    };
    const bare = await run(startChild<number>('realtime/bare.ts', args));
    const service = await run(startChild<ServiceFigures>('realtime/service.ts', args));
    const latencies = await run(startChild<Latencies>('realtime/latency.ts', args));
    if (latencies.count !== args.count)
      throw new Error(`${latencies.count} of ${args.count} readings arrived`);
    if (service.assetsInStep !== SENSORS / 4)
      throw new Error(`${service.assetsInStep} of ${SENSORS / 4} twins in step`);
    const { cpuMsPerS } = service;
    const { p50Ms, p99Ms, maxMs } = latencies;
    const name = `${SENSORS} sensors at 1 Hz, broker to twin`;
    return [
      {
        name: `${name}: CPU of the whole service`,
        result: `${cpuMsPerS.toFixed(1)} ms of CPU a second (${service.readings} readings counted)`,
        baseline: `a bare mqtt.js subscriber, JSON.parse, at the same rate: ${bare.toFixed(1)} ms; the reference's cycle: ${REFERENCE_MS_PER_S} ms`,
        ratio: (cpuMsPerS / bare).toFixed(2),
        target: '≤ 20 ms a second',
        reached: cpuMsPerS <= 20,
      },
      {
        name: `${name}: from arrival to twin`,
        result: `p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms, largest ${maxMs.toFixed(1)} ms`,
        baseline: '',
        ratio: '',
        target: 'p99 ≤ 10 ms',
        reached: p99Ms <= 10,
      },
    ];
  } finally {
    await broker.stop();
  }
};
