import { interval } from 'rxjs';
import type { PlantConfig } from '../../config/types.ts';
import { startBroker } from './broker.ts';
import type { PlantFault } from './faults.ts';
import type { PlantServer, PlantServerOptions } from './opcuaServer.ts';
import { batchFeed } from './feed.ts';
import type { PlantFeed } from './feed.ts';
import { createPlant } from './plant.ts';
import { loadScenario } from './process/parseScenario.ts';
import { changedScenario, processFeed } from './process/processFeed.ts';
import { createPublisher } from './publisher.ts';
import type { Publisher, PublisherCounts } from './publisher.ts';

export interface RunPlantOptions {
  /** Clock, epoch milliseconds. */
  now(): number;
  readonly faults?: readonly PlantFault[];
  /** Of all sensors of a scenario, seconds; null = each sensor's own. Default null. */
  readonly everyS?: number | null;
  /** Not for a scenario. Now and then a spike or a missing value. Default true. */
  readonly sprinkle?: boolean;
  /** Default 127.0.0.1. */
  readonly host?: string;
  readonly qos?: 0 | 1 | 2;
  /** Told when a step fails; the plant goes on. */
  onError?(error: unknown): void;
}

export interface RunningPlant {
  readonly plant: PlantFeed;
  /** Port of the embedded broker; null = none. */
  readonly brokerPort: number | null;
  /** Endpoint of the OPC UA server; null = none. */
  readonly opcuaEndpoint: string | null;
  /** null where nothing is published. */
  counts(): PublisherCounts | null;
  /** Stops everything; leaves neither timers nor sockets. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts the plant: broker, OPC UA server and publisher as configured, and a step every `intervalMs`.
 *
 * @throws ConfigError if the scenario is not right; Error if the broker or the server cannot start; what had started is stopped again.
 */
export async function runPlant(config: PlantConfig, options: RunPlantOptions): Promise<RunningPlant> {
  const { intervalMs, brokerPort, opcuaPort, publishUrl } = config;
  const host = options.host ?? '127.0.0.1';
  const plant = feedOf(config, options);

  const closers: (() => Promise<void>)[] = [];
  const stopAll = async (): Promise<void> => {
    for (const stop of closers.splice(0).reverse()) await stop();
  };
  try {
    const broker = brokerPort === null ? null : await startBroker({ port: brokerPort, host });
    if (broker !== null) closers.push(() => broker.close());
    const server =
      opcuaPort === null
        ? null
        : await startServer({ port: opcuaPort, host, assets: plant.assets, sensors: plant.sensors });
    if (server !== null) closers.push(() => server.close());
    const publisher =
      publishUrl === ''
        ? null
        : createPublisher({ url: publishUrl, ...(options.qos === undefined ? {} : { qos: options.qos }) });
    if (publisher !== null) closers.push(() => publisher.close());

    const cycle = (): void => {
      try {
        advance(plant, options.now(), server, publisher, config.publishTruth);
      } catch (error) {
        options.onError?.(error);
      }
    };
    const ticking = interval(intervalMs).subscribe(cycle);
    closers.push(() => {
      ticking.unsubscribe();
      return Promise.resolve();
    });
    // The server shows values from the first moment on.
    cycle();

    let closed: Promise<void> | null = null;
    return {
      plant,
      brokerPort: broker?.port ?? null,
      opcuaEndpoint: server?.endpoint ?? null,
      counts: () => publisher?.counts() ?? null,
      close: () => (closed ??= stopAll()),
    };
  } catch (error) {
    await stopAll();
    throw error;
  }
}

/** node-opcua takes most of a second to load, which only a plant with a server should cost. */
async function startServer(options: PlantServerOptions): Promise<PlantServer> {
  const { startPlantServer } = await import('./opcuaServer.ts');
  return startPlantServer(options);
}

/** The batch plant, or the one of the scenario with the assets and the seed of the configuration. */
function feedOf(config: PlantConfig, options: RunPlantOptions): PlantFeed {
  const { assets, seed, scenario } = config;
  const { faults = [], sprinkle = true, everyS = null } = options;
  const startAt = options.now();
  if (scenario === '') return batchFeed(createPlant({ assets, seed, startAt, faults, sprinkle }));
  return processFeed(changedScenario(loadScenario(scenario), { assets, seed, startAt, everyS, faults }));
}

function advance(
  plant: PlantFeed,
  now: number,
  server: PlantServer | null,
  publisher: Publisher | null,
  publishTruth: boolean,
): void {
  const samples = plant.advance(now);
  publisher?.publish(samples);
  if (publishTruth) for (const asset of plant.assets) publisher?.publishTruth(asset, plant.truth(asset));
  server?.update(
    samples,
    plant.assets.map((asset) => ({
      asset,
      timestamp: plant.truth(asset).timestamp,
      values: plant.setValues(asset),
    })),
  );
}
