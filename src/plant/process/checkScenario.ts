import { createPlantModel } from './plantModel.ts';
import type { Scenario } from './scenario.ts';

/** Told of one problem, with the key that it is about. */
type Complain = (key: string, problem: string) => void;

const list = (names: readonly string[]): string =>
  names.length > 8 ? `${names.slice(0, 8).join(', ')}, …` : names.join(', ');

/** What no key can say of itself alone. */
export function checkScenario(scenario: Scenario, complain: Complain): void {
  const { assets, control, events, sensors } = scenario;
  const names = Object.keys(sensors);
  for (const [name, { everyS, jitterS, min, max }] of Object.entries(sensors)) {
    const key = `sensors.${name}`;
    if (jitterS > everyS / 4) complain(`${key}.jitter`, `${jitterS} s, expected at most a quarter of every`);
    if (min >= max) complain(`${key}.min`, `${min}, expected less than max, ${max}`);
  }
  if (control.min >= control.max)
    complain('control.min', `${control.min}, expected less than max, ${control.max}`);
  const seen = control.sensor === '' ? undefined : sensors[control.sensor];
  if (control.sensor !== '' && seen?.measures !== 'temperature') {
    complain('control.sensor', `"${control.sensor}" is not a sensor that measures temperature`);
  }
  try {
    createPlantModel(scenario.process);
  } catch (error) {
    complain('process.parameters', error instanceof Error ? error.message : String(error));
  }
  events.forEach((event, i) => {
    for (const asset of event.assets ?? []) {
      if (!assets.includes(asset)) {
        complain(`events[${i}].assets`, `the plant has no "${asset}", expected some of ${list(assets)}`);
      }
    }
    if (event.kind === 'sensor' && !names.includes(event.sensor)) {
      complain(
        `events[${i}].sensor`,
        `the plant has no sensor "${event.sensor}", expected one of ${list(names)}`,
      );
    }
    if (event.kind === 'actuator' && control.manipulates === 'nothing') {
      complain(`events[${i}].actuator`, 'there is none: control.manipulates is nothing');
    }
  });
}
