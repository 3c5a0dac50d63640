/**
 * An MQTT source in a process of its own, to be killed: takes its configuration (JSON) as argument, prints each value
 * on a line and commits nothing.
 */
import type { MqttSourceConfig } from '../../config/types.ts';
import { isDeadLetter } from '../../src/sources/source.ts';
import { createMqttSource } from '../../src/sources/mqtt/source.ts';
import { DEFAULTS } from './mqttSource.ts';

const isConfig = (value: unknown): value is Partial<MqttSourceConfig> => typeof value === 'object';
const given: unknown = JSON.parse(process.argv[2] ?? '{}');
if (!isConfig(given)) throw new Error('expected a configuration');

const source = createMqttSource(
  { ...DEFAULTS, ...given },
  { now: () => Date.now(), lastPosition: 0, log: { info: () => undefined, warn: () => undefined } },
);
source.events.subscribe((event) => {
  if (!isDeadLetter(event)) process.stdout.write(`${String(event.value)}\n`);
});
setInterval(() => {
  if (source.status().connected) process.stdout.write('connected\n');
}, 20);
