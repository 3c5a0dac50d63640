import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'mqtt';
import type { MqttClient } from 'mqtt';
import { MARKER } from './marker.ts';
import { createPlan } from './plan.ts';
import type { PlanOptions } from './plan.ts';

export interface PublisherArgs {
  readonly url: string;
  readonly plan: PlanOptions;
  /** Readings a second, spread evenly. */
  readonly rate: number;
  /** On each new connection, so many readings before the first unacknowledged one are sent again. Default 0. */
  readonly rewindOnReconnect?: number;
  readonly clientId?: string;
  /** Numbers beyond this are not sent. Default: without end. */
  readonly limit?: number;
}

export type ToPublisher =
  | { readonly type: 'rate'; readonly rate: number }
  | { readonly type: 'rewind'; readonly count: number }
  | { readonly type: 'finish' };

export interface FromPublisher {
  readonly type: 'progress' | 'ended';
  /** All numbers below this are acknowledged. */
  readonly acknowledged: number;
}

const SLICE_MS = 4;
const REPORT_MS = 50;
const MAX_UNACKNOWLEDGED = 1000;
/** After a stall the rate goes on as it was; what was missed is not made good beyond this. */
const MAX_BURST_S = 0.25;

const {
  url,
  plan: planOptions,
  rewindOnReconnect = 0,
  ...args
} = JSON.parse(process.argv[2] ?? '') as PublisherArgs;
const plan = createPlan(planOptions);
const limit = args.limit ?? Infinity;
let rate = args.rate;
/** All numbers below it are acknowledged; of those above, the ones that are. */
let base = 0;
const acked = new Set<number>();
/** The next to send, and how many of the plan have been sent at least once. */
let cursor = 0;
let reached = 0;
let end = limit;
let inFlight = 0;
let client: MqttClient | null = null;
const connected = (): MqttClient | null => client;
const marker = { acknowledged: false };

const report = (type: FromPublisher['type']): void => {
  process.send?.({ type, acknowledged: base } satisfies FromPublisher);
};

function confirm(n: number): void {
  acked.add(n);
  while (acked.delete(base)) base += 1;
}

/** A connection at a time; a new one begins again with what the old one left unacknowledged. */
function open(): void {
  const own = connect(url, {
    clientId: args.clientId ?? 'load',
    clean: true,
    reconnectPeriod: 0,
    connectTimeout: 5000,
    keepalive: 5,
  });
  own.on('error', () => undefined);
  own.on('connect', () => {
    rewindTo(base - rewindOnReconnect);
    inFlight = 0;
    client = own;
  });
  own.on('close', () => {
    if (client === own) client = null;
    own.removeAllListeners('close');
    own.end(true);
    if (!marker.acknowledged) setTimeout(open, 50);
  });
}

function rewindTo(n: number): void {
  base = Math.max(0, n);
  cursor = base;
  acked.clear();
}

function publish(own: MqttClient, topic: string, payload: string, done: () => void): void {
  inFlight += 1;
  own.publish(topic, payload, { qos: 1 }, (error) => {
    if (own !== client) return;
    inFlight -= 1;
    if (!error) done();
  });
}

function send(own: MqttClient): void {
  const n = cursor;
  cursor += 1;
  const reading = plan.reading(n);
  if (reading === null) {
    confirm(n);
    return;
  }
  const { asset, sensor, value, unit, timestamp, quality } = reading;
  const epoch = rewinds;
  publish(
    own,
    `reactor/${asset}/sensor/${sensor}`,
    JSON.stringify({ value, unit, timestamp, quality }),
    () => {
      if (epoch === rewinds) confirm(n);
    },
  );
}

/** Acknowledgements of what was sent before a rewind do not count after it. */
let rewinds = 0;

process.on('message', (message: ToPublisher) => {
  if (message.type === 'rate') rate = message.rate;
  else if (message.type === 'finish') end = Math.min(end, reached);
  else {
    rewinds += 1;
    rewindTo(base - message.count);
  }
});
process.on('disconnect', () => process.exit(1));

open();
let due = 0;
let last = performance.now();
let reportedAt = 0;
while (!(cursor >= end && base >= end)) {
  const now = performance.now();
  due = Math.min(due + ((now - last) * rate) / 1000, Math.max(1, rate * MAX_BURST_S));
  last = now;
  for (;;) {
    const own = connected();
    if (own === null || cursor >= end || inFlight >= MAX_UNACKNOWLEDGED || (due < 1 && cursor >= reached))
      break;
    // What is sent again is not held to the rate.
    if (cursor >= reached) {
      due -= 1;
      reached = cursor + 1;
    }
    send(own);
  }
  if (now - reportedAt > REPORT_MS) {
    report('progress');
    reportedAt = now;
  }
  await sleep(SLICE_MS);
}
while (!marker.acknowledged) {
  const own = connected();
  if (own !== null && inFlight === 0) {
    const payload = JSON.stringify({ value: base, timestamp: Date.now() });
    publish(own, `reactor/${MARKER.asset}/sensor/${MARKER.sensor}`, payload, () => {
      marker.acknowledged = true;
    });
  }
  await sleep(SLICE_MS);
}
report('ended');
process.removeAllListeners('disconnect');
await connected()
  ?.endAsync()
  .catch(() => undefined);
process.disconnect();
