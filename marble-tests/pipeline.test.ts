import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { count, from, map, NEVER } from 'rxjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../config/load.ts';
import type { Reading } from '../operators/types.ts';
import { pipeline } from '../src/pipeline.ts';
import type { Output, PipelineParts } from '../src/pipeline.ts';
import { StateRegistry } from '../src/stateRegistry.ts';
import { openTwins } from '../src/twin/registry.ts';
import { marbles } from './contract.ts';
import { reading } from './readings.ts';

let folder = '';
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'rxtwin-pipeline-'))));
afterAll(() => rmSync(folder, { recursive: true }));

const drops: string[] = [];

/** The whole pipeline of a configuration, with states of its own. */
async function partsOf(settings: object): Promise<PipelineParts> {
  const file = join(folder, 'config.json');
  writeFileSync(file, JSON.stringify(settings));
  const { config } = loadConfig([file], {});
  drops.length = 0;
  return {
    config,
    registry: new StateRegistry(),
    twins: await openTwins(config),
    onDrop: (reason, { sensor, value }) => drops.push(`${reason}: ${sensor} ${value}`),
  };
}

/** One line an output, in the words of the vocabulary. */
function told(output: Output): string {
  if (output.type === 'reading') {
    const { asset, sensor, value, quality, imputed, issues } = output.reading;
    const messages = issues.map(({ check, message }) => `; ${check}: ${message}`).join('');
    return `${asset}/${sensor} ${value} ${quality}${imputed ? ' imputed' : ''}${messages}`;
  }
  if (output.type === 'window') {
    const { sensor, start, end, count, badCount, mean } = output.window;
    return `window ${sensor} [${start}, ${end}) count ${count} bad ${badCount} mean ${mean}`;
  }
  if (output.type === 'smoothed') {
    const { sensor, timestamp, value, lagMs } = output.smoothed;
    return `smoothed ${sensor} ${timestamp} ${value.toFixed(3)} lag ${lagMs}`;
  }
  if (output.type === 'anomaly') return `anomaly ${output.anomaly.asset} ${output.anomaly.event}`;
  const { asset, timestamp, sync } = output.twin;
  return `twin ${asset} ${timestamp} ${sync.status} stale [${sync.staleSensors.join()}]`;
}

interface Case {
  readonly readings: string;
  readonly values: Record<string, Reading>;
  readonly ticks?: string;
  readonly times?: Record<string, number>;
  readonly expected: string;
  readonly told: Record<string, string>;
}

function run(parts: PipelineParts, given: Case): void {
  marbles(({ hot, expectObservable }) => {
    const readings = hot(given.readings, given.values);
    const ticks = hot(given.ticks ?? '-', given.times);
    expectObservable(pipeline(readings, ticks, parts).pipe(map(told))).toBe(given.expected, given.told);
  });
}

const temperature = (timestamp: number, value: number | null, overrides: Partial<Reading> = {}): Reading =>
  reading(value, { timestamp, ...overrides });

const plain = { sensorTypes: { temperature: { windows: [] }, pressure: { windows: [] } } };

describe('the whole pipeline', () => {
  test('worked case: after 85 degC, 500 is Bad and 120 is a rapid change', async () => {
    run(await partsOf(plain), {
      readings: '--a--b--c--|',
      values: { a: temperature(0, 85), b: temperature(1000, 500), c: temperature(2000, 120) },
      expected: '--a--b--c--|',
      told: {
        a: 'R101/temperature 85 Good',
        b: 'R101/temperature 500 Bad; range: Out of range: 500 degC (allowed: -50 to 400 degC)',
        c: 'R101/temperature 120 Uncertain; spike: Rapid change detected: 41.2% (allowed: 20.0%)',
      },
    });
  });

  test('rate, z-score, spike, median and drift judge in this order, and none hides what another finds', async () => {
    const settings = {
      windows: [],
      rate: { maxRisePerS: 5 },
      outlier: { minSamples: 4 },
      hampel: { minSamples: 4 },
      drift: { referenceMean: 85, referenceStdDev: 1, thresholdStdDevs: 3 },
    };
    run(await partsOf({ sensorTypes: { temperature: settings } }), {
      readings: 'abcde|',
      values: {
        a: temperature(0, 84),
        b: temperature(1000, 86),
        c: temperature(2000, 84),
        d: temperature(3000, 86),
        e: temperature(4000, 110),
      },
      expected: 'abcde|',
      told: {
        a: 'R101/temperature 84 Good',
        b: 'R101/temperature 86 Good',
        c: 'R101/temperature 84 Good',
        d: 'R101/temperature 86 Good',
        e:
          'R101/temperature 110 Uncertain; rate: Rises too fast: 24 per second (allowed: 5), by 24 in 1 s' +
          '; outlier: Outlier: z-score 25.00 (allowed: 3), mean 85, standard deviation 1' +
          '; spike: Rapid change detected: 27.9% (allowed: 20.0%)' +
          '; hampel: Outlier: 16.9 robust standard deviations from the median (allowed: 4), median 85, robust standard deviation 1.483' +
          '; drift: Drifts up: cumulative sum 4 standard deviations (allowed: 3), for 2 readings, reference 85, standard deviation 1',
      },
    });
  });

  test('the estimate predicts over a Bad reading and does not take it in', async () => {
    const parts = await partsOf(plain);
    marbles(({ hot, expectObservable }) => {
      const readings = hot('abc|', {
        a: temperature(0, 85),
        b: temperature(1000, 500),
        c: temperature(2000, 85),
      });
      const estimates = pipeline(readings, hot('-'), parts).pipe(
        map((output) => (output.type === 'reading' ? output.reading.estimate : null)),
        map((estimate) => [estimate?.value, estimate?.innovation]),
      );
      expectObservable(estimates).toBe('abc|', { a: [85, null], b: [85, null], c: [85, 0] });
    });
  });

  test('a missing value is imputed by the mean of the last two', async () => {
    run(await partsOf(plain), {
      readings: 'abc|',
      values: { a: temperature(0, 84), b: temperature(1000, 86), c: temperature(2000, null) },
      expected: 'abc|',
      told: {
        a: 'R101/temperature 84 Good',
        b: 'R101/temperature 86 Good',
        c: 'R101/temperature 85 Uncertain imputed; missing: Missing value: replaced by 85 (meanOfLastTwo of 84, 86)',
      },
    });
  });

  test('smoothed estimates come behind the reading that lets them go, the others with the end of the stream', async () => {
    const settings = { smooth: { lagMs: 2000 }, windows: [{ sizeMs: 1000 }] };
    const parts = await partsOf({ sensorTypes: { temperature: settings } });
    const outputs: string[] = [];
    marbles(({ hot, expectObservable }) => {
      const readings = hot('ab(cd)|', {
        a: temperature(0, 85),
        b: temperature(1000, 86),
        // Bad: estimated from both sides.
        c: temperature(2000, 500),
        d: temperature(3000, 85),
      });
      const all = pipeline(readings, hot('-'), parts).pipe(map((output) => outputs.push(told(output))));
      expectObservable(all.pipe(count())).toBe('------(n|)', { n: 12 });
    });
    expect(outputs.map((line) => line.replace(/;.*/, '').replace(/ bad.*/, ''))).toEqual([
      'R101/temperature 85 Good',
      'R101/temperature 86 Good',
      'window temperature [0, 1000) count 1',
      'R101/temperature 500 Bad',
      expect.stringMatching(/^smoothed temperature 0 85\.\d{3} lag 2000$/),
      'window temperature [1000, 2000) count 1',
      'R101/temperature 85 Good',
      expect.stringMatching(/^smoothed temperature 1000 85\.\d{3} lag 2000$/),
      'window temperature [2000, 3000) count 0',
      expect.stringMatching(/^smoothed temperature 2000 85\.\d{3} lag 1000$/),
      expect.stringMatching(/^smoothed temperature 3000 85\.\d{3} lag 0$/),
      'window temperature [3000, 4000) count 1',
    ]);
  });

  test('smoothing has the filters of kalman, and adaptive ones next to the reference', async () => {
    const values = Array.from({ length: 40 }, (_, i) => 85 + Math.sin(i * i) + (i > 20 ? 10 : 0));
    const smoothedBy = async (kalman: object): Promise<number[]> => {
      const settings = { smooth: { lagMs: 5000 }, kalman, spike: false, outlier: false, windows: [] };
      const parts = await partsOf({ sensorTypes: { temperature: settings } });
      const seen: number[] = [];
      from(values.map((value, i) => temperature(i * 1000, value)))
        .pipe((readings) => pipeline(readings, NEVER, parts))
        .subscribe((output) => output.type === 'smoothed' && seen.push(output.smoothed.value));
      return seen;
    };
    const noise = { measurementVariance: 0.3 };
    const adaptive = await smoothedBy({ mode: 'adaptive', ...noise });
    expect(adaptive).toHaveLength(40);
    expect(await smoothedBy(noise)).toEqual(adaptive);
    expect(await smoothedBy({ ...noise, processNoise: [5, 5] })).toEqual(adaptive);
    expect(await smoothedBy({ mode: 'whiteAcceleration', ...noise })).not.toEqual(adaptive);
    expect(await smoothedBy({ mode: 'adaptive', ...noise, shiftNis: null })).not.toEqual(adaptive);
    expect(await smoothedBy({ mode: 'adaptive', measurementVariance: 3 })).not.toEqual(adaptive);
  });

  test('a window closes with the reading that passes its end, the last one with the stream', async () => {
    run(await partsOf({ sensorTypes: { temperature: { windows: [{ sizeMs: 1000 }] } } }), {
      readings: 'a---b---c---d---|',
      values: {
        a: temperature(0, 85),
        b: temperature(500, 87),
        c: temperature(900, 500),
        d: temperature(1000, 86),
      },
      expected: 'a---b---c---(dw)(x|)',
      told: {
        a: 'R101/temperature 85 Good',
        b: 'R101/temperature 87 Good',
        c: 'R101/temperature 500 Bad; range: Out of range: 500 degC (allowed: -50 to 400 degC)',
        d: 'R101/temperature 86 Good',
        w: 'window temperature [0, 1000) count 2 bad 1 mean 86',
        x: 'window temperature [1000, 2000) count 1 bad 0 mean 86',
      },
    });
  });

  test('a reactor has a twin, and a tick without a reading degrades it, then a longer one loses it', async () => {
    const parts = await partsOf({
      ...plain,
      assets: { R101: { model: { type: 'batchReactor' }, sensors: { temperature: { staleAfterMs: 5000 } } } },
      twin: { everyMs: 1000, lostAfterMs: 60_000 },
    });
    run(parts, {
      readings: 'a---b---c-------',
      values: { a: temperature(0, 85), b: temperature(500, 85), c: temperature(1000, 85) },
      ticks: ' ------------s-t-u-v',
      times: { s: 6000, t: 6001, u: 7000, v: 61_001 },
      expected: '(az)b---(cy)--t---v',
      told: {
        a: 'R101/temperature 85 Good',
        z: 'twin R101 0 synchronised stale []',
        b: 'R101/temperature 85 Good',
        c: 'R101/temperature 85 Good',
        y: 'twin R101 1000 synchronised stale []',
        t: 'twin R101 1000 degraded stale [temperature]',
        v: 'twin R101 1000 lost stale [temperature]',
      },
    });
  });

  test('a duplicate is dropped, and the drop is reported', async () => {
    run(await partsOf(plain), {
      readings: 'abac|',
      values: { a: temperature(0, 85), b: temperature(1000, 86), c: temperature(2000, 87) },
      expected: 'ab-c|',
      told: {
        a: 'R101/temperature 85 Good',
        b: 'R101/temperature 86 Good',
        c: 'R101/temperature 87 Good',
      },
    });
    expect(drops).toEqual(['duplicate: temperature 85']);
  });

  test('sensors that no configuration names are taken as they come, with the default checks and window', async () => {
    const other = { asset: 'X', sensor: 'level', unit: 'mm' };
    run(await partsOf({ unknownAssets: 'accept' }), {
      readings: 'ab----|',
      values: { a: temperature(0, 1000, other), b: temperature(60_000, 1500, other) },
      expected: 'a(bw)-(x|)',
      told: {
        a: 'X/level 1000 Good',
        b: 'X/level 1500 Uncertain; spike: Rapid change detected: 50.0% (allowed: 20.0%)',
        w: 'window level [0, 1000) count 1 bad 0 mean 1000',
        x: 'window level [60000, 61000) count 1 bad 0 mean 1500',
      },
    });
  });

  test('sensors do not mix: each has its own last value, windows and end', async () => {
    const pressure = (timestamp: number, value: number): Reading =>
      reading(value, { timestamp, sensor: 'pressure', unit: 'MPa' });
    run(
      await partsOf({
        sensorTypes: { temperature: { windows: [{ sizeMs: 1000 }] }, pressure: { windows: [] } },
      }),
      {
        readings: 'apbqcr---|',
        values: {
          a: temperature(0, 85),
          p: pressure(1500, 2.5),
          b: temperature(500, 86),
          q: pressure(2500, 3.5),
          c: temperature(700, 87),
          r: pressure(3500, 2.5),
        },
        expected: 'apbqcr---(w|)',
        told: {
          a: 'R101/temperature 85 Good',
          p: 'R101/pressure 2.5 Good',
          b: 'R101/temperature 86 Good',
          q: 'R101/pressure 3.5 Uncertain; spike: Rapid change detected: 40.0% (allowed: 20.0%)',
          c: 'R101/temperature 87 Good',
          r: 'R101/pressure 2.5 Good',
          w: 'window temperature [0, 1000) count 3 bad 0 mean 86',
        },
      },
    );
  });

  test('an error of the source ends everything, and nothing is made up', async () => {
    run(await partsOf(plain), {
      readings: 'a-#',
      values: { a: temperature(0, 85) },
      expected: 'a-#',
      told: { a: 'R101/temperature 85 Good' },
    });
  });
});
