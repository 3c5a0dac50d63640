import { changesOf } from '../src/twin/process/changes.ts';
import { cstr } from '../src/twin/process/cstr.ts';
import { estimatedTwin } from '../src/twin/process/estimatedTwin.ts';
import { completed, predict } from '../src/twin/process/predict.ts';
import { parseLimit, timesToLimits } from '../src/twin/process/predictLimits.ts';
import { WhatIf } from '../src/twin/process/whatIf.ts';
import { cpuOf, median } from './support.ts';
import type { Bench, Measure } from './support.ts';
import { COLD } from './twin/readings.ts';

const ROUNDS = 40;
const TARGET_MS = 20;

const model = cstr(COLD);
const twin = estimatedTwin(model, {
  estimate: {
    heatTransfer: {},
    feedConcentration: { mode: 'consider', stdDev: 10, noisePerSqrtS: 0.8165 },
    preExponentialFactor: { mode: 'consider', stdDev: 2.4e7 },
  },
});
const state = twin.initial();
for (let i = 0; i < 60; i++) {
  twin.advance(state, 1);
  twin.correct(state, 'temperature', COLD.initialTemperatureDegC, 0.25);
  twin.correct(state, 'coolant_temperature', COLD.coolantTemperatureDegC, 0.09);
  twin.correct(state, 'feed_temperature', 76.85, 0.09);
  twin.correct(state, 'flow_rate', 100, 0.25);
}

/** What a prediction, and the time to a limit, cost: the shipped example, an answer as JSON. */
export const measure: Bench = ({ quick }) => {
  const rounds = quick ? 4 : ROUNDS;
  const ms = (work: () => unknown, times: number): number =>
    median(Array.from({ length: times }, () => cpuOf(() => JSON.stringify(work())) / 1e6));
  const prediction = (horizonS: number, stepS: number) => () =>
    completed(predict(new WhatIf(twin, state), { horizonS, stepS }));
  const limit = parseLimit('temperature>120', model.outputs);
  const toLimit = (horizonS: number) => () =>
    completed(timesToLimits(new WhatIf(twin, state), limit === null ? [] : [limit], horizonS));
  const changed = { inputs: { coolant_temperature: [{ atS: 0, value: 40 }] }, parameters: {}, state: {} };
  const simulated = () => {
    const { changes } = changesOf(twin, state, changed);
    return completed(predict(new WhatIf(twin, state, changes), { horizonS: 60, stepS: 1 }));
  };
  const minute = ms(prediction(60, 1), rounds);
  const line = (name: string, result: number, more: Partial<Measure> = {}): Measure => ({
    name,
    result: `${result.toFixed(1)} ms`,
    baseline: `60 s in steps of 1 s: ${minute.toFixed(1)} ms`,
    ratio: (result / minute).toFixed(1),
    target: '',
    reached: null,
    ...more,
  });
  const target = { target: `<= ${TARGET_MS} ms`, reached: minute <= TARGET_MS };
  return Promise.resolve([
    line('prediction with bands: 60 s in steps of 1 s, five variables, nine outputs', minute, target),
    line('what if the coolant were warmer: the same', ms(simulated, rounds)),
    line('prediction with bands: 1 h in steps of 10 s', ms(prediction(3600, 10), rounds)),
    line('prediction with bands: 1 h in steps of 1 s', ms(prediction(3600, 1), Math.ceil(rounds / 4))),
    line('time to a limit as a distribution, 200 members: 60 s', ms(toLimit(60), rounds)),
    line('time to a limit as a distribution, 200 members: 1 h', ms(toLimit(3600), Math.ceil(rounds / 4))),
  ]);
};
