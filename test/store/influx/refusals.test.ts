import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { fakeForwardStore, forwardRow } from '../../fakes/forwardStore.ts';
import type { FakeForwardStore } from '../../fakes/forwardStore.ts';
import { problem, TAKES, valuesOf } from '../../fakes/influxServer.ts';
import type { FakeAnswer } from '../../fakes/influxServer.ts';
import { forwardRig } from './rig.ts';
import type { ForwardRig } from './rig.ts';

let rig: ForwardRig;
let store: FakeForwardStore;
beforeEach(async () => {
  rig = await forwardRig();
  store = fakeForwardStore();
});
afterEach(() => rig.close());

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);
const commitRows = (values: readonly number[]): number => store.commit(values.map((n) => forwardRow(n)));
const done = (forwarder: { status(): object }): Promise<void> =>
  vi.waitFor(
    () => expect(forwarder.status()).toMatchObject({ lagRows: 0, cursor: { through: store.lastCommit } }),
    { timeout: 10_000, interval: 5 },
  );
const quarantined = (): number[] => valuesOf(store.quarantined.map(({ line }) => line));
const received = (): number[] => valuesOf(rig.server.points.values()).toSorted((a, b) => a - b);
const isBad = (bad: readonly number[]) => (line: string) => bad.includes(valuesOf([line])[0] ?? NaN);

/** The ways in which servers refuse bad points, as told by the version of InfluxDB. */
const REFUSALS: [string, (bad: string[], good: string[]) => FakeAnswer][] = [
  [
    '400 that quotes them, and takes nothing',
    (bad) =>
      problem(400, 'invalid', bad.map((line) => `unable to parse '${line}': missing tag value`).join('\n')),
  ],
  [
    '400 that quotes only the first',
    (bad) => problem(400, 'invalid', `unable to parse '${bad[0]}': missing tag value`),
  ],
  ['400 without a word', () => ({ status: 400 })],
  [
    '422 after a partial write',
    (bad, good) => ({
      ...problem(
        422,
        'unprocessable entity',
        `failure writing points to database: partial write: field type conflict: input field "value" dropped=${bad.length}`,
      ),
      taken: good,
    }),
  ],
  [
    '500 after a partial write, as InfluxDB 2.0',
    (bad, good) => ({
      ...problem(
        500,
        'internal error',
        `unexpected error writing points to database: partial write: field type conflict dropped=${bad.length}`,
      ),
      taken: good,
    }),
  ],
  ['413 by bytes', (bad) => ({ status: 413, body: `${bad.length} too many` })],
];

describe.each(REFUSALS)('%s', (name, refuse) => {
  const refusing = (bad: readonly number[]): void => {
    rig.server.answer = (lines) => {
      const wrong = lines.filter(isBad(bad));
      return wrong.length === 0
        ? TAKES
        : refuse(
            wrong,
            lines.filter((line) => !wrong.includes(line)),
          );
    };
  };

  test.each([
    ['one', [17]],
    ['the first and the last', [1, 50]],
    ['a tenth', [3, 13, 23, 33, 43]],
    ['all but one', upTo(50).filter((n) => n !== 31)],
  ])('%s of 50: just those are in quarantine, the rest is written', async (_, bad) => {
    commitRows(upTo(50));
    refusing(bad);
    const forwarder = rig.start(store, { batchRows: 50 });
    await done(forwarder);
    expect(quarantined().toSorted((a, b) => a - b)).toEqual(bad);
    expect(received()).toEqual(upTo(50).filter((n) => !bad.includes(n)));
    expect(forwarder.status()).toMatchObject({
      quarantinedRows: bad.length,
      forwardedRows: 50 - bad.length,
      state: 'forwarding',
    });
    const { reason, line } = store.quarantined[0]!;
    expect(reason).toMatch(/^(400|413|422|500): /);
    expect(line).toMatch(/^reactor_sensor,quality=Good,.* 17\d{14}$/);
    expect(rig.logged.filter((text) => text.includes('in quarantine'))).toHaveLength(1);
  });

  test('one that is alone waits for others, and holds up nothing for good', async () => {
    commitRows([1]);
    refusing([1]);
    const forwarder = rig.start(store);
    await vi.waitFor(() => expect(forwarder.status().state).toBe('refused'));
    expect(store.quarantined).toEqual([]);
    forwarder.committed(commitRows([2]), 1);
    await done(forwarder);
    expect(quarantined()).toEqual([1]);
    expect(received()).toEqual([2]);
    // From now on a point is known that the server takes.
    forwarder.committed(commitRows([1]), 1);
    await done(forwarder);
    expect(quarantined()).toEqual([1, 1]);
    expect(name).not.toBe('');
  });
});

describe('a server that refuses everything', () => {
  test.each([
    ['as points', problem(400, 'invalid', "unable to parse 'x': bad timestamp")],
    ['as an unknown encoding', problem(400, 'invalid', 'gzipped HTTP body contains an invalid header')],
    ['by type', problem(422, 'unprocessable entity', 'partial write: field type conflict dropped=1000000')],
    ['by size', { status: 413 }],
  ])(
    '%s puts nothing into quarantine, costs few requests, and gets all of it in the end',
    async (_, answer) => {
      for (let i = 0; i < 10; i++) commitRows(upTo(100).map((n) => i * 100 + n));
      let mended = false;
      rig.server.answer = () => (mended ? TAKES : answer);
      const forwarder = rig.start(store, { batchRows: 400, retry: { minMs: 300, maxMs: 600 } });
      await vi.waitFor(() => expect(forwarder.status().state).toBe('refused'), {
        timeout: 5000,
        interval: 1,
      });
      expect(rig.server.requests.length).toBeLessThan(80);
      expect(forwarder.status()).toMatchObject({ ok: false, lagRows: 1000, quarantinedRows: 0 });
      expect(forwarder.status().detail).toContain('refuses everything');
      mended = true;
      await done(forwarder);
      expect(store.quarantined).toEqual([]);
      expect(received()).toEqual(upTo(1000));
    },
  );

  test('from the middle of a batch on', async () => {
    commitRows(upTo(40));
    let requests = 0;
    let mended = false;
    // The halves of the first half are taken, then nothing more.
    rig.server.answer = () => {
      requests += 1;
      return mended || requests === 3 ? TAKES : { status: 400 };
    };
    const forwarder = rig.start(store, { batchRows: 40 });
    await vi.waitFor(() => expect(forwarder.status().retries).toBeGreaterThan(1), { timeout: 5000 });
    expect(store.quarantined).toEqual([]);
    mended = true;
    await done(forwarder);
    expect(store.quarantined).toEqual([]);
    expect(received()).toEqual(upTo(40));
  });
});

test('points older than the bucket keeps are refused for good, whole requests at once', async () => {
  commitRows(upTo(200));
  rig.server.answer = (lines) => ({
    ...problem(
      422,
      'unprocessable entity',
      `failure writing points to database: partial write: points beyond retention policy dropped=${lines.length}`,
    ),
    taken: [],
  });
  const forwarder = rig.start(store, { batchRows: 50 });
  await done(forwarder);
  expect(quarantined()).toEqual(upTo(200));
  expect(rig.server.requests).toHaveLength(4);
  expect(forwarder.status()).toMatchObject({ quarantinedRows: 200, forwardedRows: 0, ok: true });
});

test('requests that are too large are halved, and smaller from then on', async () => {
  commitRows(upTo(200));
  rig.server.answer = (lines) => (lines.length > 30 ? { status: 413 } : TAKES);
  const forwarder = rig.start(store, { batchRows: 100 });
  await done(forwarder);
  expect(received()).toEqual(upTo(200));
  expect(store.quarantined).toEqual([]);
  // 100 and 50 are too large; then 25 each.
  expect(rig.server.requests.filter(({ lines }) => lines.length > 30)).toHaveLength(2);
  expect(rig.server.requests.filter(({ lines }) => lines.length === 25)).toHaveLength(8);
});
