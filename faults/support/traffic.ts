import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { FaultOptions, FaultRow } from '../scenario.ts';
import { audit } from './audit.ts';
import type { Audit } from './audit.ts';
import { startBroker } from './broker.ts';
import type { FaultBroker } from './broker.ts';
import { differences, snapshotOf } from './content.ts';
import { MARKER } from './marker.ts';
import { createPlan } from './plan.ts';
import type { Plan } from './plan.ts';
import { startPublisher } from './publisher.ts';
import type { LoadPublisher } from './publisher.ts';
import { undisturbed } from './reference.ts';
import { serviceHome, startService } from './serviceProcess.ts';
import type { ServiceHome, ServiceProcess } from './serviceProcess.ts';
import { sleep, until } from './wait.ts';

export interface TrafficOptions {
  /** Of this run, inside of the scenario's. */
  readonly name: string;
  /** Readings a second. */
  readonly rate: number;
  readonly assets?: number;
  readonly protocolVersion?: 4 | 5;
  /** Folder of the store; default: one on the same disk as all else. */
  readonly storeFolder?: string;
  /** More entries of the configuration's `assets`. */
  readonly assetsBesides?: object;
  /** Overrides of the configuration's sections. */
  readonly config?: object;
  readonly env?: Readonly<Record<string, string>>;
  /** More lines of the broker's configuration. */
  readonly brokerLines?: readonly string[];
  /** Overrides of the source's keys. */
  readonly source?: object;
  /** Where the service finds the broker, e.g. a proxy in between; default: the broker itself. */
  readonly serviceUrl?: (broker: FaultBroker) => Promise<string>;
  /** See `PublisherArgs`. */
  readonly rewindOnReconnect?: number;
}

export interface TrafficEnd {
  readonly audit: Audit;
  readonly twin: 'identical' | 'different';
  /** The first difference to the undisturbed run; '' where there is none. */
  readonly difference: string;
  readonly exitCode: number | null;
}

/** Numbered readings through a broker into a service of their own, while a scenario does harm. */
export interface Traffic {
  readonly plan: Plan;
  readonly broker: FaultBroker;
  readonly home: ServiceHome;
  readonly storePath: string;
  readonly publisher: LoadPublisher;
  /** The running one. */
  service(): ServiceProcess;
  restart(): ServiceProcess;
  /** Readings sent of which the service has not yet shown a result; of this process only. */
  behind(): Promise<number>;
  /** Milliseconds until the service has all that was sent but the last quarter of a second's. */
  caughtUp(timeoutMs?: number): Promise<number>;
  /** Ends the traffic and waits until the service has all of it. @returns how many numbers of the plan were sent */
  finish(timeoutMs?: number): Promise<number>;
  /** The same, unless `finished` says that it was done; then stops the service and looks what became of the readings. */
  end(timeoutMs?: number, finished?: number): Promise<TrafficEnd>;
  /** Ends what still runs; to be called in any case. */
  abandon(): Promise<void>;
}

const QUIET_MS = 20_000;

export async function startTraffic(options: FaultOptions, own: TrafficOptions): Promise<Traffic> {
  const folder = join(options.folder, own.name);
  mkdirSync(folder, { recursive: true });
  const planOptions = { assets: own.assets ?? 4, seed: options.seed };
  const plan = createPlan(planOptions);
  const broker = await startBroker(join(folder, 'broker'), own.brokerLines);
  const storePath = join(own.storeFolder ?? join(folder, 'data'), 'store.duckdb');
  const home = serviceHome(folder, {
    ...plan.config,
    assets: {
      ...assetsOf(plan.config),
      ...own.assetsBesides,
      [MARKER.asset]: { sensors: { [MARKER.sensor]: {} } },
    },
    sources: [
      {
        id: 'plant',
        type: 'mqtt',
        url: (await own.serviceUrl?.(broker)) ?? broker.url,
        clientId: 'service',
        protocolVersion: own.protocolVersion ?? 5,
        reconnect: { minMs: 50, maxMs: 500 },
        ...own.source,
      },
    ],
    store: { path: storePath, retentionDays: 36_500 },
    ...own.config,
  });
  const start = (): ServiceProcess => startService(home, { ...(own.env && { env: own.env }) });
  let service = start();
  await service.ready();
  const publisher = startPublisher({
    url: broker.url,
    plan: planOptions,
    rate: own.rate,
    ...(own.rewindOnReconnect !== undefined && { rewindOnReconnect: own.rewindOnReconnect }),
  });
  let counted = { upTo: 0, sent: 0 };

  const behind = async (): Promise<number> => {
    const shown = await service.metric('rxtwin_readings_total', 'source="plant"');
    const upTo = publisher.acknowledged();
    let { sent } = counted;
    for (let n = counted.upTo; n < upTo; n += 1) if (plan.reading(n) !== null) sent += 1;
    counted = { upTo, sent };
    return sent - shown;
  };

  /** Once it shows the marker it has all before it; without, once nothing has come for a while. */
  const settled = async (count: number, timeoutMs: number): Promise<void> => {
    const path = `/api/assets/${MARKER.asset}/sensors/${MARKER.sensor}/latest`;
    let last = { shown: -1, since: 0 };
    await until(
      'the service to have all readings',
      async () => {
        const latest = await service.get(path).catch(() => null);
        if (valueOf(latest) === count) return true;
        const shown = await service.metric('rxtwin_readings_total').catch(() => null);
        if (shown === null || shown !== last.shown) last = { shown: shown ?? -1, since: performance.now() };
        return performance.now() - last.since > QUIET_MS ? true : undefined;
      },
      { timeoutMs, everyMs: 50 },
    );
  };

  const finish = async (timeoutMs = 120_000): Promise<number> => {
    const count = await publisher.finish(timeoutMs);
    await settled(count, timeoutMs);
    return count;
  };

  return {
    plan,
    finish,
    broker,
    home,
    storePath,
    publisher,
    service: () => service,
    restart: () => (service = start()),
    behind,
    async caughtUp(timeoutMs = 300_000) {
      const started = performance.now();
      const allowed = own.rate / 4 + 50;
      const near = async (): Promise<true | undefined> =>
        (await behind().catch(() => Infinity)) <= allowed ? true : undefined;
      await until('the service to catch up', near, { timeoutMs, everyMs: 50 });
      return performance.now() - started;
    },
    async end(timeoutMs = 120_000, finished) {
      const count = finished ?? (await publisher.finish(timeoutMs));
      if (!service.alive()) service = start();
      await settled(count, timeoutMs);
      const snapshot = await snapshotOf(service, plan);
      const exitCode = await service.stop();
      const reference = await undisturbed(home.configFile, plan, count);
      const found = await audit(storePath, plan, count, reference);
      const { twins, latest, example } = differences(snapshot, reference.snapshot);
      return {
        audit: found,
        twin: twins + latest === 0 ? 'identical' : 'different',
        difference: example === '' ? found.example : example,
        exitCode,
      };
    },
    async abandon() {
      if (service.alive()) service.kill();
      await broker.end('SIGKILL');
      await sleep(0);
    },
  };
}

/** The marker's sensor is listed, so that no bound on unlisted ones keeps it out. */
const assetsOf = (config: object): object =>
  'assets' in config && typeof config.assets === 'object' ? { ...config.assets } : {};

const valueOf = (latest: unknown): unknown =>
  typeof latest === 'object' && latest !== null && 'value' in latest ? latest.value : undefined;

/** A row of the matrix; passed where nothing is lost, doubled or wrong, and all of `more` holds. */
export function trafficRow(
  fault: string,
  end: TrafficEnd,
  notes: readonly string[],
  more: Readonly<Record<string, boolean>> = {},
): FaultRow {
  const { sent, stored, lost, duplicated, wrongRows, unknown, wrongWindows, wrongTwinRecords } = end.audit;
  const checks = {
    'lost': lost === 0,
    'duplicated': duplicated === 0,
    'unknown rows': unknown === 0,
    'wrong rows': wrongRows === 0,
    'wrong windows': wrongWindows === 0,
    'wrong twin records': wrongTwinRecords === 0,
    'twin': end.twin === 'identical',
    'exit code': end.exitCode === 0,
    ...more,
  };
  const failed = Object.entries(checks).flatMap(([name, ok]) => (ok ? [] : [name]));
  const complaint =
    failed.length === 0
      ? []
      : [
          `FAILED: ${failed.join(', ')}; wrong rows ${wrongRows}, windows ${wrongWindows}, twin records ${wrongTwinRecords}, ` +
            `exit ${String(end.exitCode)}; ${end.difference}`,
        ];
  return {
    fault,
    sent,
    stored,
    lost,
    duplicated,
    twin: end.twin,
    passed: failed.length === 0,
    note: [...notes, ...complaint].join('; '),
  };
}

/** Plays several at once and waits for the end of all, also where one fails. */
export async function together<T>(plays: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(plays);
  return Promise.all(plays);
}
