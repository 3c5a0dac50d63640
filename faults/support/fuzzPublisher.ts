import { setTimeout as wait } from 'node:timers/promises';
import { connectAsync } from 'mqtt';
import { childProcess } from '../../bench/child.ts';
import { fuzzer } from './fuzzPayloads.ts';

export interface FuzzPublisherArgs {
  readonly url: string;
  readonly count: number;
  /** Messages a second at most. */
  readonly rate: number;
  /** Hostile payloads from this seed, or a valid reading each for `count` sensors that nobody has heard of. */
  readonly what:
    | { readonly seed: number; readonly around: number; readonly maxPayloadBytes: number }
    | { readonly asset: string; readonly from: number };
}

export interface FuzzPublished {
  /** Messages that the broker has acknowledged. */
  readonly sent: number;
  /** Readings and dead letters that they must become. */
  readonly events: number;
  readonly byKind: Readonly<Record<string, number>>;
  readonly bytes: number;
  /** Connections lost: the broker must not have refused a message. */
  readonly disconnects: number;
  readonly seconds: number;
}

const SLICE_MS = 5;
const MAX_UNACKNOWLEDGED = 500;

interface Message {
  readonly kind: string;
  readonly topic: string;
  readonly payload: Buffer;
  readonly events: number;
}

function messages(what: FuzzPublisherArgs['what']): () => Message {
  if ('seed' in what) return fuzzer(what);
  let next = what.from;
  return () => {
    const payload = Buffer.from(`{"value":${next % 100},"timestamp":${Date.now()}}`);
    return { kind: 'sensor', topic: `reactor/${what.asset}/sensor/s${next++}`, payload, events: 1 };
  };
}

await childProcess(import.meta.url, async (args: FuzzPublisherArgs): Promise<FuzzPublished> => {
  process.once('disconnect', () => process.exit(1));
  const client = await connectAsync(args.url, { clientId: `fuzz-${process.pid}`, protocolVersion: 5 });
  let disconnects = 0;
  client.on('close', () => (disconnects += 1));
  client.on('error', () => undefined);
  const next = messages(args.what);
  const byKind: Record<string, number> = {};
  const started = performance.now();
  let [given, sent, events, bytes] = [0, 0, 0, 0];
  while (given < args.count) {
    const due = Math.min(args.count, Math.ceil(((performance.now() - started) * args.rate) / 1000));
    while (given < due && given - sent < MAX_UNACKNOWLEDGED) {
      const message = next();
      given += 1;
      events += message.events;
      bytes += message.payload.length;
      byKind[message.kind] = (byKind[message.kind] ?? 0) + 1;
      client.publish(message.topic, message.payload, { qos: 1 }, (error) => {
        if (!error) sent += 1;
      });
    }
    await (given < due ? new Promise((resolve) => setImmediate(resolve)) : wait(SLICE_MS));
  }
  while (sent < given) await wait(SLICE_MS);
  const seconds = (performance.now() - started) / 1000;
  const lostConnections = disconnects;
  await client.endAsync();
  return { sent, events, byKind, bytes, disconnects: lostConnections, seconds };
});
