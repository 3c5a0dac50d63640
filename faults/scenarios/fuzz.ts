import { connectAsync } from 'mqtt';
import { runChild } from '../../bench/child.ts';
import type { FaultOptions, FaultRow, Scenario } from '../scenario.ts';
import type { FuzzPublished, FuzzPublisherArgs } from '../support/fuzzPublisher.ts';
import { storeFigures } from '../support/fuzzSql.ts';
import { watchMemory } from '../support/stallMemory.ts';
import { startTraffic, trafficRow } from '../support/traffic.ts';
import type { Traffic } from '../support/traffic.ts';
import { sleep, until } from '../support/wait.ts';

const PUBLISHER = '../faults/support/fuzzPublisher.ts';
const MAX_PAYLOAD_BYTES = 65_536;
/** From the publishing of a reading to its arrival in the service, while the fuzzer sends: broker included. */
const MAX_DELAY_MS = 10_000;
/**
 * In the first third heap and the store's cache (store.memoryLimitMb) grow to the size that they have at this load; what
 * grows beyond is what payloads leave behind.
 */
const MAX_GROWTH_MB = 100;
const SETTLED_SHARE = 1 / 3;
const PROBE = 'PROBE';
const PROBE_EVERY_MS = 50;

async function run(options: FaultOptions): Promise<readonly FaultRow[]> {
  const { short, seed } = options;
  const count = short ? 20_000 : 1_000_000;
  const traffic = await startTraffic(options, {
    name: 'fuzz',
    rate: short ? 300 : 1000,
    config: {
      store: {
        path: `${options.folder}/fuzz/data/store.duckdb`,
        retentionDays: 36_500,
        maxDeadLetters: 10_000_000,
      },
    },
  });
  const probe = await startProbe(traffic.broker.url);
  try {
    await traffic.publisher.reached(short ? 300 : 5000);
    const memory = watchMemory(traffic.service().pid);
    const what = { seed, around: Date.now(), maxPayloadBytes: MAX_PAYLOAD_BYTES };
    const rate = short ? 3000 : 2500;
    const args: FuzzPublisherArgs = { url: traffic.broker.url, count, rate, what };
    let settledMb = 0;
    const settled = setTimeout(
      () => {
        settledMb = memory.peak();
        memory.rebase();
      },
      (1000 * SETTLED_SHARE * count) / rate,
    );
    const fuzzed = await runChild<FuzzPublished>(PUBLISHER, args);
    options.log(`${fuzzed.sent} payloads in ${fuzzed.seconds.toFixed(1)} s`);
    const catchUpMs = await allTaken(traffic);
    clearTimeout(settled);
    const peakMb = memory.peak();
    memory.stop();
    const probed = await probe.stop();
    const finished = await traffic.finish();
    const duplicates = await traffic.service().metric('rxtwin_drops_total', 'reason="duplicate"');
    const counted = await traffic.service().metric('rxtwin_dead_letters_total');
    const end = await traffic.end(120_000, finished);

    const stored = await figures(traffic.storePath);
    const events = stored.readings + stored.deadLetters + duplicates;
    const seconds = fuzzed.seconds.toFixed(0);
    const notes = [
      `${fuzzed.sent} payloads (${(fuzzed.bytes / 1e6).toFixed(0)} MB in ${seconds} s) of ${fuzzed.events} readings: ` +
        `${stored.readings} stored, ${stored.deadLetters} dead letters, ${duplicates} duplicates`,
      `delay of a reading meanwhile: median ${stored.medianMs.toFixed(0)} ms, largest ${stored.maxMs.toFixed(0)} ms`,
      `memory at most ${settledMb.toFixed(0)} MB in the first third, ${peakMb.toFixed(0)} MB after it, with ${stored.sensors} new sensors`,
      `all taken ${(catchUpMs / 1000).toFixed(1)} s after the last payload`,
    ];
    return [
      trafficRow(`${count} hostile payloads and topics in normal traffic`, end, notes, {
        'payloads acknowledged': fuzzed.sent === count && fuzzed.disconnects === 0,
        'every payload accounted for': events === fuzzed.events,
        'dead letters counted': counted === stored.deadLetters,
        'every probe stored': stored.probes === probed,
        'delay': stored.maxMs < MAX_DELAY_MS,
        'memory': peakMb - settledMb < MAX_GROWTH_MB,
      }),
    ];
  } finally {
    probe.abandon();
    await traffic.abandon();
  }
}

interface Figures {
  readonly readings: number;
  readonly deadLetters: number;
  readonly probes: number;
  readonly sensors: number;
  readonly medianMs: number;
  readonly maxMs: number;
}

async function figures(path: string): Promise<Figures> {
  const plan = `regexp_matches(asset, '^(R1[0-9]{2}|MARKER|${PROBE})$')`;
  const found = await storeFigures(
    path,
    // Held rows wait for older readings; once released, they stand in both tables under one number. A filled gap may have it too.
    `WITH inputs AS (SELECT row, asset, sensor, timestamp, arrived_at FROM readings WHERE source IS NOT NULL UNION ALL
      SELECT row, asset, sensor, timestamp, arrived_at FROM held_rows JOIN channels ON id = channel
      WHERE row NOT IN (SELECT row FROM readings WHERE source IS NOT NULL))
      SELECT count(*) FILTER (NOT ${plan})::DOUBLE AS readings, (SELECT count(*) FROM dead_letters)::DOUBLE AS letters,
      count(*) FILTER (asset = '${PROBE}')::DOUBLE AS probes,
      count(DISTINCT (asset, sensor)) FILTER (NOT ${plan})::DOUBLE AS sensors,
      median(arrived_at - timestamp) FILTER (asset = '${PROBE}') AS median_ms,
      max(arrived_at - timestamp) FILTER (asset = '${PROBE}') AS max_ms FROM inputs`,
  );
  return {
    readings: found['readings'] ?? 0,
    deadLetters: found['letters'] ?? 0,
    probes: found['probes'] ?? 0,
    sensors: found['sensors'] ?? 0,
    medianMs: found['median_ms'] ?? NaN,
    maxMs: found['max_ms'] ?? NaN,
  };
}

/** Readings that say when they were sent: the broker queues them behind the fuzzer's, so they tell the delay. */
async function startProbe(url: string): Promise<{ stop(): Promise<number>; abandon(): void }> {
  const client = await connectAsync(url, { clientId: 'probe' });
  client.on('error', () => undefined);
  let [running, sent, value] = [true, 0, 0];
  const done = (async () => {
    while (running) {
      const payload = JSON.stringify({ value: (value += 1), timestamp: Date.now() });
      await client.publishAsync(`reactor/${PROBE}/sensor/sent`, payload, { qos: 1 });
      sent += 1;
      await sleep(PROBE_EVERY_MS);
    }
  })();
  done.catch(() => undefined);
  return {
    async stop() {
      running = false;
      await done;
      await client.endAsync();
      return sent;
    },
    abandon() {
      running = false;
      client.end(true);
    },
  };
}

/** Until the readings keep pace and nothing more becomes a dead letter. */
async function allTaken(traffic: Traffic): Promise<number> {
  const started = performance.now();
  let last = { count: -1, since: started };
  return until(
    'the service to take in what the fuzzer sent',
    async () => {
      const count = await traffic
        .service()
        .metric('rxtwin_dead_letters_total')
        .catch(() => last.count);
      if (count !== last.count) last = { count, since: performance.now() };
      return performance.now() - last.since > 500 ? last.since - started : undefined;
    },
    { timeoutMs: 300_000, everyMs: 50 },
  );
}

export default [
  {
    name: 'fuzz',
    about:
      'A client sends whatever it likes, to valid topics of any name: mutated JSON, deep nesting, numbers beyond measure, ' +
      'invalid UTF-8, binary, wrong types, arrays, oversized payloads. Each of them becomes readings or dead letters, all ' +
      'accounted for, and the numbered readings that come in between are neither lost nor doubled nor held up.',
    needs: ['mosquitto'],
    run,
  },
] satisfies readonly Scenario[];
