import { runChild } from '../../bench/child.ts';
import type { FaultOptions, FaultRow, Scenario } from '../scenario.ts';
import { storeFigures } from '../support/fuzzSql.ts';
import type { FuzzPublished, FuzzPublisherArgs } from '../support/fuzzPublisher.ts';
import { watchMemory } from '../support/stallMemory.ts';
import { startTraffic, trafficRow } from '../support/traffic.ts';
import { until } from '../support/wait.ts';

const PUBLISHER = '../faults/support/fuzzPublisher.ts';
/** Resident memory that one admitted sensor may cost, with all its checks, filter and window. */
const MAX_KB_A_SENSOR = 20;
/** Refused ones leave nothing that grows; the store's memory (store.memoryLimitMb, 256) fills with their dead letters. */
const MAX_REFUSED_MB = 300;
const QUIET_MS = 1000;
const RUNAWAY = 'RUNAWAY';

async function run(options: FaultOptions): Promise<readonly FaultRow[]> {
  const { short } = options;
  const names = short ? 25_000 : 100_000;
  const after = short ? 2000 : 20_000;
  const maxSensors = short ? 2000 : 20_000;
  const traffic = await startTraffic(options, {
    name: 'runaway',
    rate: short ? 200 : 1000,
    config: { pipeline: { maxSensors } },
  });
  try {
    const spray = (from: number, count: number): Promise<FuzzPublished> => {
      const what = { asset: RUNAWAY, from };
      const args: FuzzPublisherArgs = { url: traffic.broker.url, count, rate: short ? 5000 : 2000, what };
      return runChild<FuzzPublished>(PUBLISHER, args);
    };
    const refused = () =>
      traffic
        .service()
        .metric('rxtwin_dead_letters_total', 'reason="tooManySensors"')
        .catch(() => -1);
    /** Once no more are refused, all of them have come. */
    const quiet = async (): Promise<number> => {
      let last = { count: -1, since: performance.now() };
      return until(
        'the runaway client to be through',
        async () => {
          const count = await refused();
          if (count !== last.count) last = { count, since: performance.now() };
          return performance.now() - last.since > QUIET_MS ? count : undefined;
        },
        { timeoutMs: 300_000, everyMs: 50 },
      );
    };
    await traffic.publisher.reached(short ? 200 : 2000);
    const memory = watchMemory(traffic.service().pid);
    const first = await spray(0, maxSensors);
    await traffic.caughtUp();
    const admittedMb = memory.growth();
    memory.rebase();
    const rest = await spray(maxSensors, names - maxSensors);
    const refusedBefore = await quiet();
    const refusedMb = memory.growth();
    memory.stop();

    options.log('restarting, then more names nobody has heard of');
    const exitCode = await traffic.service().stop();
    traffic.restart();
    await traffic.service().ready();
    const again = await spray(names, after);
    const refusedAfter = await quiet();

    const end = await traffic.end();
    const found = await storeFigures(
      traffic.storePath,
      `SELECT count(DISTINCT sensor)::DOUBLE AS sensors, count(*)::DOUBLE AS readings FROM readings WHERE asset = '${RUNAWAY}'`,
    );
    const sensors = found['sensors'] ?? 0;
    const readings = found['readings'] ?? 0;
    const listed = traffic.plan.sensors.length + 1;
    const sent = first.sent + rest.sent + again.sent;
    const refusedAll = refusedBefore + refusedAfter;
    const notes = [
      `${sent} runaway sensors: ${sensors} admitted (pipeline.maxSensors ${maxSensors}), ${refusedAll} refused as dead letters`,
      `memory +${admittedMb.toFixed(0)} MB for the admitted, +${refusedMb.toFixed(0)} MB for the refused`,
    ];
    return [
      trafficRow(`${names} sensor names from a runaway client, restart, ${after} more`, end, notes, {
        'stopped in order': exitCode === 0,
        // Listed sensors are always admitted; they may take up places.
        'bounded': sensors <= maxSensors && sensors >= maxSensors - listed,
        'counts add up': readings + refusedAll === sent,
        'memory of the admitted': admittedMb < 50 + (maxSensors * MAX_KB_A_SENSOR) / 1000,
        'memory of the refused': refusedMb < MAX_REFUSED_MB,
      }),
    ];
  } finally {
    await traffic.abandon();
  }
}

export default [
  {
    name: 'sensors',
    about:
      'A client with a bug publishes under ever new sensor names, in the midst of normal traffic. The service takes in as ' +
      'many sensors as pipeline.maxSensors allows, also over a restart, and refuses the others as dead letters. The ' +
      'traffic must not notice.',
    needs: ['mosquitto'],
    run,
  },
] satisfies readonly Scenario[];
