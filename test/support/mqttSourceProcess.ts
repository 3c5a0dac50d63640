/**
 * An MQTT source in a process of its own, to be killed, paused and weighed: takes its configuration (JSON) as argument,
 * prints each value on a line (with `quiet` as second argument only how many there were) and commits nothing until told.
 *
 * Commands on stdin, one a line: `pause`, `resume`, `commit` (from then on everything at once), `memory`, which prints
 * `memory` with the count of events and rss and heap in bytes.
 */
import { createInterface } from 'node:readline';
import type { MqttSourceConfig } from '../../config/types.ts';
import { isDeadLetter } from '../../src/sources/source.ts';
import { createMqttSource } from '../../src/sources/mqtt/source.ts';
import { CONTEXT, DEFAULTS, positionOf } from './mqttSource.ts';

const isConfig = (value: unknown): value is Partial<MqttSourceConfig> => typeof value === 'object';
const given: unknown = JSON.parse(process.argv[2] ?? '{}');
if (!isConfig(given)) throw new Error('expected a configuration');
const quiet = process.argv[3] === 'quiet';

const source = createMqttSource({ ...DEFAULTS, ...given }, CONTEXT);
const values = new Map<number | null, number>();
let count = 0;
let last = 0;
let committing = false;
source.events.subscribe((event) => {
  count += 1;
  last = positionOf(event);
  if (committing) source.commit(last);
  if (isDeadLetter(event)) return;
  values.set(event.value, (values.get(event.value) ?? 0) + 1);
  if (!quiet) process.stdout.write(`${String(event.value)}\n`);
});
setInterval(() => {
  if (source.status().connected) process.stdout.write('connected\n');
}, 20);
createInterface({ input: process.stdin }).on('line', (command) => {
  if (command === 'pause') source.pause();
  else if (command === 'resume') source.resume();
  else if (command === 'commit') {
    committing = true;
    source.commit(last);
  }
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  const { reconnects } = source.status();
  process.stdout.write(
    `state ${JSON.stringify({ count, distinct: values.size, rss, held: heapUsed + external, reconnects })}\n`,
  );
});
