import { connect } from 'mqtt';
import type { MqttClient } from 'mqtt';
import type { PlantSample } from './plant.ts';

export interface PublisherOptions {
  readonly url: string;
  /** Default 1. */
  readonly qos?: 0 | 1 | 2;
}

export interface PublisherCounts {
  readonly published: number;
  /** Not sent because the broker was not there or was too far behind: a plant does not wait. */
  readonly dropped: number;
}

export interface Publisher {
  publish(samples: readonly PlantSample[]): void;
  /** Sends the truth of an asset to `truth/<asset>` as JSON, QoS 0; not counted. No twin may listen there. */
  publishTruth(asset: string, truth: { readonly timestamp: number }): void;
  counts(): PublisherCounts;
  /** Waits a little for what is under way, then disconnects. */
  close(): Promise<void>;
}

const MAX_IN_FLIGHT = 10_000;
const CLOSE_TIMEOUT_MS = 1000;

/** Sends samples to `reactor/<asset>/sensor/<sensor>` as JSON; reconnects by itself. */
export function createPublisher(options: PublisherOptions): Publisher {
  const { url, qos = 1 } = options;
  const client = connect(url, { reconnectPeriod: 500, queueQoSZero: false });
  // A broker that is not there is not an error of the plant: the client keeps trying, and drops are counted.
  client.on('error', () => undefined);
  let published = 0;
  let dropped = 0;
  let inFlight = 0;
  let idle: (() => void) | null = null;

  const publish = (samples: readonly PlantSample[]): void => {
    for (const sample of samples) {
      if (!client.connected || inFlight >= MAX_IN_FLIGHT) {
        dropped += 1;
        continue;
      }
      inFlight += 1;
      client.publish(`reactor/${sample.asset}/sensor/${sample.sensor}`, encode(sample), { qos }, (error) => {
        inFlight -= 1;
        if (error) dropped += 1;
        else published += 1;
        if (inFlight === 0) idle?.();
      });
    }
  };

  const publishTruth = (asset: string, truth: { readonly timestamp: number }): void => {
    if (!client.connected) return;
    const payload = { ...truth, timestamp: new Date(truth.timestamp).toISOString() };
    client.publish(`truth/${asset}`, JSON.stringify(payload), { qos: 0 });
  };

  const settle = async (): Promise<void> => {
    if (inFlight === 0 || !client.connected) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
      idle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  };

  let closed: Promise<void> | null = null;
  const shutdown = async (): Promise<void> => {
    await settle();
    await end(client);
  };
  return {
    publish,
    publishTruth,
    counts: () => ({ published, dropped }),
    close: () => (closed ??= shutdown()),
  };
}

async function end(client: MqttClient): Promise<void> {
  await client.endAsync(!client.connected);
}

function encode({ value, unit, timestamp, quality }: PlantSample): string {
  return JSON.stringify({ value, unit, timestamp: new Date(timestamp).toISOString(), quality });
}
