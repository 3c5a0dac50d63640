import { map, NEVER, Subject, tap } from 'rxjs';
import type { Observable } from 'rxjs';
import { clockTicks } from '../../operators/clockTicks.ts';
import { ingest } from '../../src/ingest.ts';
import { createProcessor } from '../../src/processor.ts';
import type { Entry } from '../../src/processor.ts';
import { createMqttSource } from '../../src/sources/mqtt/source.ts';
import type { Source, SourceEvent } from '../../src/sources/source.ts';
import { Recall } from '../../src/recall.ts';
import { StateRegistry } from '../../src/stateRegistry.ts';
import { openStore } from '../../src/store/duckdb.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { openTwins } from '../../src/twin/registry.ts';
import { mqttSourceOf, serviceConfig } from '../plantConfig.ts';
import type { ReceiverArgs } from './bareReceiver.ts';

export interface ChainEvents {
  onArrival(event: SourceEvent): void;
  onEntry(entry: Entry): void;
  onCommit(readings: number): void;
}

export interface Chain {
  /** Resolves when the subscription at the broker is in force. */
  readonly connected: Promise<void>;
  close(): Promise<void>;
}

/** The parts of the service from the broker to the store, without API and metrics, with a store in `dir`. */
export async function openChain(args: ReceiverArgs, dir: string, events: ChainEvents): Promise<Chain> {
  const { url, protocolVersion, qos, sensors } = args;
  const config = serviceConfig(sensors, url, qos, dir);
  const log = createLog(config.log.level);
  const store = await openStore(config.store, log);
  const onDrop = (reason: string): void => {
    if (reason !== 'lateForWindow') throw new Error(`a reading was dropped: ${reason}`);
  };
  const recall = new Recall(store);
  const processor = createProcessor({
    config,
    isKnown: recall.isKnown,
    registry: new StateRegistry(),
    twins: await openTwins(config),
    lastRow: 0,
    onDrop,
  });
  const mqtt = createMqttSource(
    { ...mqttSourceOf(config), protocolVersion },
    { now: () => Date.now(), lastPosition: 0, delivered: [], newest: () => Promise.resolve(null), log },
  );
  const stop = new Subject<void>();
  const failed = Promise.withResolvers<never>();
  ingest({
    config: config.pipeline,
    sources: [observed(mqtt, events)],
    ticks: clockTicks(config.pipeline.tickMs).pipe(map((at) => ({ at }))),
    processor,
    store,
    recall,
    onDrop,
    onEntry: (entry) => events.onEntry(entry),
    onCommit: ({ readings }) => events.onCommit(readings.length),
    onStoreError: (error) => failed.reject(error),
    stop,
    abort: NEVER,
  }).subscribe({ error: (error: unknown) => failed.reject(error) });
  return {
    connected: Promise.race([connected(mqtt), failed.promise]),
    async close() {
      stop.next();
      await mqtt.close();
      await store.close();
    },
  };
}

function observed(source: Source, chain: ChainEvents): Source {
  const events: Observable<SourceEvent> = source.events.pipe(tap((event) => chain.onArrival(event)));
  return {
    id: source.id,
    type: source.type,
    window: source.window,
    events,
    commit: (position) => source.commit(position),
    pause: () => source.pause(),
    resume: () => source.resume(),
    status: () => source.status(),
    stop: () => source.stop(),
    close: () => source.close(),
  };
}

/** Polls, as a status has no events; half a second more is for the subscription that follows the connection. */
async function connected(source: Source): Promise<void> {
  while (!source.status().connected) await new Promise((resolve) => setTimeout(resolve, 20));
  await new Promise((resolve) => setTimeout(resolve, 500));
}
