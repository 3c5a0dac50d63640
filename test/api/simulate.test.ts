import { Compile } from 'typebox/compile';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/api/context.ts';
import { Prediction } from '../../src/api/schemas.ts';
import { buildApp } from '../../src/api/server.ts';
import { Workbench } from '../../src/api/workbench.ts';
import type { TwinCopy } from '../../src/twin/liveTwin.ts';
import { cstr } from '../../src/twin/process/cstr.ts';
import { estimatedTwin } from '../../src/twin/process/estimatedTwin.ts';
import { fakeApi, T0 } from '../fakes/live.ts';

const ASSET = '/api/assets/R101';
type Json = Record<string, unknown>;

let app: App;
let copy: TwinCopy;
beforeAll(async () => {
  const fake = fakeApi();
  const twin = estimatedTwin(cstr({ initialConcentrationMolPerL: 0.7, initialTemperatureDegC: 65 }), {
    estimate: { heatTransfer: {} },
  });
  const state = twin.initial();
  twin.correct(state, 'temperature', 65, 0.25);
  copy = { timestamp: T0, twin, state };
  fake.live.copies.set('R101', copy);
  const plain = fake.live.byId.get('R101');
  if (plain !== undefined) fake.live.byId.set('plain', { ...plain, id: 'plain' });
  ({ app } = await buildApp(fake.options));
});
afterAll(() => app.close());

async function ask(url: string, body?: unknown) {
  const response = await app.inject(
    body === undefined
      ? { method: 'GET', url }
      : {
          method: 'POST',
          url,
          ...(typeof body === 'string' ? { body, headers: JSON_TYPE } : { body: body as object }),
        },
  );
  return { status: response.statusCode, headers: response.headers, body: JSON.parse(response.body) as Json };
}
const JSON_TYPE = { 'content-type': 'application/json' };

async function ok(url: string, body?: unknown): Promise<Json & { trajectory: Json[] }> {
  const answer = await ask(url, body);
  expect(answer.status, JSON.stringify(answer.body).slice(0, 300)).toBe(200);
  expect(Compile(Prediction).Errors(answer.body)).toEqual([]);
  return answer.body as Json & { trajectory: Json[] };
}

describe('prediction of an estimated twin', () => {
  test('has every output with its standard deviation, and no limits unless they are asked for', async () => {
    const body = await ok(`${ASSET}/prediction`);
    expect(Object.keys(body)).toEqual(['asset', 'from', 'horizonS', 'stepS', 'trajectory']);
    expect(body.trajectory).toHaveLength(61);
    const [first] = body.trajectory;
    const outputs = Object.keys(copy.twin.outputs);
    expect(Object.keys(first!)).toEqual(['timestamp', ...outputs, 'stdDev']);
    expect(Object.keys(first!['stdDev'] as Json)).toEqual(outputs);
    expect(body).toMatchObject({ asset: 'R101', from: '2025-10-26T10:30:15.000Z', horizonS: 60, stepS: 1 });
    expect(body.trajectory.at(-1)).toMatchObject({ timestamp: '2025-10-26T10:31:15.000Z' });
  });

  test('says when limits are reached', async () => {
    const body = await ok(`${ASSET}/prediction?limits=temperature%3E20,conversion%3C0`);
    expect(body['limits']).toEqual([
      { limit: 'temperature>20', probability: 1, medianS: 0, from5S: 0, to95S: 0 },
      { limit: 'conversion<0', probability: 0, medianS: null, from5S: null, to95S: null },
    ]);
  });

  test.each(['temperature', 'nothing>1', 'temperature>1,', Array(9).fill('temperature>1').join()])(
    'limits=%s is refused',
    async (limits) => {
      const { status, body } = await ask(`${ASSET}/prediction?limits=${encodeURIComponent(limits)}`);
      expect(status).toBe(400);
      expect(body).toMatchObject({ errors: [{ parameter: 'limits' }] });
    },
  );

  test('a model of another kind answers as ever, and knows no limits', async () => {
    const { trajectory } = await ok('/api/assets/plain/prediction');
    expect(trajectory[0]).toEqual({
      timestamp: '2025-10-26T10:30:16.000Z',
      temperature: 85,
      conversion: 0.1,
    });
    const { status, body } = await ask('/api/assets/plain/prediction?limits=temperature%3E90');
    expect([status, body['detail']]).toEqual([
      400,
      'limits: "temperature>90" is not valid, expected none, as the model batchReactor states no uncertainty',
    ]);
  });
});

describe('simulate', () => {
  test('without changes is the prediction', async () => {
    const [asked, predicted] = [await ok(`${ASSET}/simulate`, {}), await ok(`${ASSET}/prediction`)];
    expect(asked).toEqual(predicted);
  });

  test('shows what inputs, parameters and state would make of it, and leaves the twin as it is', async () => {
    const before = JSON.stringify(copy.state);
    const usual = await ok(`${ASSET}/prediction?horizonS=30&stepS=10`);
    const request = {
      ...{ horizonS: 30, stepS: 10 },
      inputs: { coolant_temperature: [{ atS: 15, value: 90 }], flow_rate: 50 },
      parameters: { heatTransfer: 1000 },
      state: { temperature: 70 },
      limits: ['temperature>75', 'temperature<60'],
    };
    const body = await ok(`${ASSET}/simulate`, request);
    expect(body.trajectory.map((point) => point['coolant_temperature'])).toEqual(
      [26.85, 26.85, 90, 90].map((value) => expect.closeTo(value, 9) as number),
    );
    expect(body.trajectory[0]!['temperature']).toBeCloseTo(70, 9);
    expect(body.trajectory[3]!['flow_rate']).toBeCloseTo(50, 9);
    expect(body.trajectory[3]!['temperature']).not.toBeCloseTo(
      usual.trajectory[3]!['temperature'] as number,
      0,
    );
    expect(body['limits']).toMatchObject([{ limit: 'temperature>75' }, { limit: 'temperature<60' }]);
    expect(JSON.stringify(copy.state)).toBe(before);
    expect(await ok(`${ASSET}/prediction?horizonS=30&stepS=10`)).toEqual(usual);
  });

  const refused: readonly (readonly [object, readonly string[]])[] = [
    [{ horizonS: 0 }, ['horizonS: "0" is not valid, expected a number > 0 and <= 86400']],
    [{ horizonS: '60' }, ['horizonS: "60" is not valid']],
    [{ horizonS: 86_400, stepS: 1 }, ['stepS: "1" is not valid, expected at least horizonS / 10000']],
    [{ stepS: 61 }, ['stepS: "61" is not valid, expected at most horizonS = 60']],
    [{ horizon: 60 }, ['horizon: "60" is not valid, expected no such key; known: horizonS, stepS']],
    [{ inputs: 5, state: [] }, ['inputs: "5" is not valid, expected an object', 'state: "[]"']],
    [{ inputs: { flow_rate: 'x' } }, ['inputs.flow_rate: "x" is not valid, expected a number, or a list']],
    [{ inputs: { flow_rate: [] } }, ['inputs.flow_rate: "0 levels" is not valid']],
    [{ inputs: { flow_rate: [{ atS: 0 }] } }, ['inputs.flow_rate[0]: "{\\"atS\\":0}" is not valid']],
    [
      {
        inputs: {
          flow_rate: [
            { atS: 5, value: 1 },
            { atS: 5, value: 2 },
          ],
        },
      },
      ['inputs.flow_rate[1].atS: "5" is not valid, expected a number from 0 to 86400, later than'],
    ],
    [{ inputs: { steam: 1 } }, ['inputs.steam: ', 'expected one of flow_rate, feed_concentration']],
    [
      { parameters: { heatTransfer: null } },
      ['parameters.heatTransfer: "null" is not valid, expected a number'],
    ],
    [
      { parameters: { heatTransfer: -1 } },
      ['parameters.heatTransfer: "-1" is not valid, expected a number from 0'],
    ],
    [{ state: { ['__proto__x']: 1 } }, ['state.__proto__x: "1" is not valid, expected one of temperature']],
    [
      { limits: ['temperature'] },
      ['limits: "temperature" is not valid, expected output>value or output<value'],
    ],
    [{ limits: [5] }, ['limits[0]: "5" is not valid']],
    [[], ['body: "[]" is not valid, expected a JSON object']],
  ];
  test.each(refused)('%j is refused', async (request, details) => {
    const { status, body } = await ask(`${ASSET}/simulate`, request);
    expect(status).toBe(400);
    for (const detail of details) expect(body['detail']).toContain(detail);
  });

  test('what is no JSON, too long, or not there is answered with a problem', async () => {
    expect((await ask(`${ASSET}/simulate`, '{')).status).toBe(400);
    expect((await ask(`${ASSET}/simulate`, `{"a":"${'x'.repeat(17_000)}"}`)).status).toBe(413);
    expect((await ask('/api/assets/R999/simulate', {})).status).toBe(404);
    expect(await ask('/api/assets/plain/simulate', {})).toMatchObject({
      ...{
        status: 404,
        body: { detail: 'The model batchReactor has no filter, and only those that have can be simulated.' },
      },
    });
    expect(await ask('/api/assets/R102/simulate', {})).toMatchObject({ status: 404 });
    expect(await ask(`${ASSET}/simulate`)).toMatchObject({
      ...{ status: 405, headers: { allow: 'POST' }, body: { detail: 'GET is not possible here; POST is.' } },
    });
  });

  test('two long ones may be under way; readings have their turn in between, and short ones are answered', async () => {
    const long = { horizonS: 20_000, stepS: 10, limits: ['temperature>1000'] };
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 1);
    const answers = await Promise.all([
      ...[1, 2, 3].map(() => ask(`${ASSET}/simulate`, long)),
      ask(`${ASSET}/simulate`, { horizonS: 2 }),
    ]);
    clearInterval(timer);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429, 200]);
    expect(answers[2]).toMatchObject({ headers: { 'retry-after': '1' } });
    expect(turns).toBeGreaterThan(10);
    expect((await ask(`${ASSET}/simulate`, long)).status).toBe(200);
  }, 60_000);
});

describe('the workbench', () => {
  function* endless(): Generator<undefined, never> {
    for (;;) yield;
  }
  const never = new AbortController().signal;

  test('gives up what takes too long', async () => {
    const bench = new Workbench({ budgetMs: 30, sliceMs: 5, maxRunning: 1 });
    for (let i = 0; i < 2; i++)
      await expect(bench.run(endless(), never)).rejects.toMatchObject({ status: 400 });
  });

  test('stops when nobody waits for it any longer, and its place is free again', async () => {
    const bench = new Workbench({ maxRunning: 1 });
    for (let i = 0; i < 2; i++) {
      const leaves = new AbortController();
      const run = bench.run(endless(), leaves.signal);
      leaves.abort(new Error('gone'));
      await expect(run).rejects.toThrow('gone');
    }
  });
});
