import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createEncoder } from '../../../src/store/influx/points.ts';
import { createInfluxReader, InfluxReadError } from '../../../src/store/influx/reader.ts';
import type { InfluxReaderOptions } from '../../../src/store/influx/reader.ts';
import { answerFrom, literalsAfter } from '../../support/fluxPoints.ts';
import { annotatedCsv, errorTable, sendJson, startFluxServer } from '../../support/fluxServer.ts';
import type { CsvTable, FluxRequest, FluxResponder } from '../../support/fluxServer.ts';

const T0 = Date.parse('2025-10-26T10:00:00.000Z');
const TOKEN = 'secret-token-of-the-test';
const QUERY = { asset: 'R101', sensor: 'temperature', start: T0, end: T0 + 60_000, limit: 10 };

async function rig(answer: (request: FluxRequest) => string | FluxResponder, options?: InfluxReaderOptions) {
  const server = await startFluxServer(answer);
  onTestFinished(() => server.close());
  const config = { url: server.url, token: TOKEN, org: 'plant & co', bucket: 'twins' };
  return { ...server, reader: createInfluxReader(config, { now: () => T0 + 3_600_000, ...options }) };
}

const failure = async (work: Promise<unknown>): Promise<InfluxReadError> => {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof InfluxReadError)) throw new Error('expected an InfluxReadError', { cause: error });
  expect(error.message).not.toContain(TOKEN);
  return error;
};

const POINT_COLUMNS = [
  { name: '_time', type: 'dateTime:RFC3339' },
  { name: 'unit', type: 'string' },
  { name: 'quality', type: 'string' },
  { name: 'value', type: 'double' },
  { name: 'estimate', type: 'double' },
  { name: 'estimate_rate_per_s', type: 'double' },
  { name: 'estimate_std_dev', type: 'double' },
  { name: 'imputed', type: 'boolean' },
];

const GOOD: CsvTable = {
  columns: POINT_COLUMNS,
  rows: [
    ['2025-10-26T10:00:00Z', 'degC', 'Good', '85.25', '85.1', '0.01', '0.5', 'false'],
    ['2025-10-26T10:00:02.123456Z', 'degC', 'Good', '86', '', '', '', 'true'],
  ],
};

/** Without estimate and value, its columns in another order, with a unit that CSV has to quote. */
const BAD: CsvTable = {
  table: 1,
  columns: [
    { name: 'quality', type: 'string', group: true },
    { name: 'imputed', type: 'boolean' },
    { name: '_time', type: 'dateTime:RFC3339' },
    { name: 'unit', type: 'string', group: true },
  ],
  rows: [['Bad', 'false', '2025-10-26T10:00:01.000001Z', 'a "unit", in\r\ntwo lines']],
};

const stored = { row: 0, asset: 'R101', sensor: 'temperature', issues: [], raw: null };
const MERGED = [
  {
    ...{ ...stored, timestamp: T0, value: 85.25, unit: 'degC', quality: 'Good', imputed: false },
    estimate: { value: 85.1, ratePerS: 0.01, stdDev: 0.5 },
  },
  {
    ...{
      ...stored,
      timestamp: T0 + 1000.001,
      value: null,
      unit: 'a "unit", in\r\ntwo lines',
      quality: 'Bad',
    },
    ...{ imputed: false, estimate: null },
  },
  {
    ...{ ...stored, timestamp: T0 + 2123.456, value: 86, unit: 'degC', quality: 'Good', imputed: true },
    estimate: null,
  },
];

describe('what is sent', () => {
  test('range: the exact Flux, with the limit in it, and the dialect', async () => {
    const { reader, requests } = await rig(() => annotatedCsv([]));
    expect(await reader.range({ ...QUERY, start: T0 + 0.001, end: T0 + 60_000.4996 })).toStrictEqual([]);
    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatchObject({
      method: 'POST',
      url: '/api/v2/query?org=plant%20%26%20co',
      headers: { 'authorization': `Token ${TOKEN}`, 'accept-encoding': 'gzip' },
    });
    expect(requests[0]?.body).toStrictEqual({
      query: [
        'from(bucket: "twins")',
        '  |> range(start: time(v: "2025-10-26T10:00:00.000001Z"), stop: time(v: "2025-10-26T10:01:00.000500Z"))',
        '  |> filter(fn: (r) => r._measurement == "reactor_sensor" and r.reactor_id == "R101" and r.sensor_type == "temperature")',
        '  |> limit(n: 10)',
        '  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")',
        '  |> group()',
        '  |> sort(columns: ["_time"])',
        '  |> limit(n: 10)',
        '  |> keep(columns: ["_time","unit","quality","value","estimate","estimate_rate_per_s","estimate_std_dev","imputed"])',
      ].join('\n'),
      dialect: {
        ...{ header: true, delimiter: ',', quoteChar: '"', commentPrefix: '#' },
        annotations: ['datatype', 'group', 'default'],
      },
      type: 'flux',
    });
  });

  test('latest: one hour back, or as far as is asked for, up to the end of time', async () => {
    const { reader, requests } = await rig(() => annotatedCsv([]));
    expect(await reader.latest('R101', 'temperature')).toBeNull();
    await reader.latest('R101', 'temperature', { lookBackMs: 60_000 });
    await reader.latest('R101', 'temperature', { lookBackMs: Infinity });
    const [first, second, third] = requests;
    expect(first?.query.split('\n').slice(3)).toStrictEqual([
      '  |> last()',
      '  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")',
      '  |> group()',
      '  |> sort(columns: ["_time"], desc: true)',
      '  |> limit(n: 1)',
      '  |> keep(columns: ["_time","unit","quality","value","estimate","estimate_rate_per_s","estimate_std_dev","imputed"])',
    ]);
    const stop = 'stop: time(v: "2262-04-11T23:47:16.854000Z")';
    expect(first?.query).toContain(`range(start: time(v: "2025-10-26T10:00:00.000000Z"), ${stop})`);
    expect(second?.query).toContain(`range(start: time(v: "2025-10-26T10:59:00.000000Z"), ${stop})`);
    expect(third?.query).toContain(`range(start: time(v: "1677-09-21T00:12:43.146000Z"), ${stop})`);
  });

  test('aggregate: the range on the grid of the windows, Bad left out, five results', async () => {
    const { reader, requests } = await rig(() => annotatedCsv([]));
    await reader.aggregate({ ...QUERY, start: T0 + 1, end: T0 + 60_001, windowMs: 60_000 });
    const chain = (name: string, fn: string, which: string): string =>
      [
        'from(bucket: "twins")',
        '  |> range(start: time(v: "2025-10-26T10:00:00.000000Z"), stop: time(v: "2025-10-26T10:02:00.000000Z"))',
        '  |> filter(fn: (r) => r._measurement == "reactor_sensor" and r.reactor_id == "R101" and r.sensor_type == "temperature")',
        `  |> filter(fn: (r) => ${which})`,
        `  |> aggregateWindow(every: duration(v: "60000ms"), fn: ${fn}, createEmpty: false, timeSrc: "_start")`,
        '  |> limit(n: 10)',
        '  |> keep(columns: ["_time", "_value"])',
        `  |> yield(name: "${name}")`,
      ].join('\n');
    const usable = 'r._field == "value" and r.quality != "Bad"';
    expect(requests[0]?.query).toBe(
      [
        chain('all', 'count', 'r._field == "imputed"'),
        ...['count', 'sum', 'min', 'max'].map((fn) => chain(fn, fn, usable)),
      ].join('\n'),
    );
    await reader.aggregate({ ...QUERY, windowMs: 45_000, before: T0 + 70_000.5 });
    expect(requests[1]?.query).toContain(
      'start: time(v: "2025-10-26T10:00:00.000000Z"), stop: time(v: "2025-10-26T10:01:10.000500Z")',
    );
  });

  test('nothing for a range without extent, which InfluxDB would refuse', async () => {
    const { reader, requests } = await rig(() => annotatedCsv([]));
    expect(await reader.range({ ...QUERY, end: T0 })).toStrictEqual([]);
    expect(await reader.range({ ...QUERY, end: T0 + 0.0001 })).toStrictEqual([]);
    expect(await reader.range({ ...QUERY, limit: 0 })).toStrictEqual([]);
    expect(await reader.aggregate({ ...QUERY, windowMs: 1000, before: T0 - 1 })).toStrictEqual([]);
    await expect(reader.aggregate({ ...QUERY, windowMs: 0.5 })).rejects.toThrow(RangeError);
    expect(requests).toHaveLength(0);
  });

  const HOSTILE = [
    'R101") |> drop(columns: ["_value"]) //',
    'a\\',
    'a\\" or true or "',
    '\\${now()}',
    '${now()}',
    '$${"x"}$',
    'a"b',
    '" + v.secret + "',
    "'",
    'é 温度 🙂',
    'nul \0 and more") |> yield() //',
    '\\x41\\u0041\\n',
    'a, b=c',
    '',
  ];

  test.each(HOSTILE)('%j stays one literal', async (name) => {
    const { reader, requests, url } = await rig(() => annotatedCsv([]));
    await reader.range({ ...QUERY, asset: name, sensor: name });
    await reader.range(QUERY);
    const other = createInfluxReader({ url, token: TOKEN, org: 'o', bucket: name });
    await other.range(QUERY);
    const [hostile, plain, bucket] = requests;
    const stays = name.replace(/\\(?=[\\,=\s]|$)/g, '＼');
    expect(literalsAfter(hostile?.query ?? '', 'r.reactor_id ==')).toStrictEqual([stays]);
    expect(literalsAfter(hostile?.query ?? '', 'r.sensor_type ==')).toStrictEqual([stays]);
    expect(literalsAfter(bucket?.query ?? '', 'from(bucket:')).toStrictEqual([name]);
    // With every literal taken out, what is left is the query that it always is.
    const skeleton = (query = ''): string => query.replace(/"(?:[^"\\$]|\\.|\$(?!\{))*"/gs, '""');
    expect(skeleton(hostile?.query)).toBe(skeleton(plain?.query));
    expect(skeleton(bucket?.query)).toBe(skeleton(plain?.query));
    expect(hostile?.query).not.toContain('\0');
  });

  test.each(['R101', 'two words', 'a\nb\tc\rd', 'tail\\', 'a\\ b\\\\c', 'x\\,y', 'a=b,c'])(
    'asks for %j by the tag that the forwarder writes',
    async (name) => {
      const { reader, requests } = await rig(() => annotatedCsv([]));
      await reader.range({ ...QUERY, asset: name });
      const row = {
        asset: name,
        sensor: 's',
        timestamp: T0,
        value: 1,
        unit: '',
        quality: 'Good',
        imputed: false,
      };
      const encoded = await createEncoder()([{ ...row, quality: 'Good', estimate: null }]);
      const [, written = ''] = /,reactor_id=((?:[^\\, =]|\\.)*)/s.exec(encoded.lines[0] ?? '') ?? [];
      // Line protocol: a backslash escapes comma, space and equals sign, and is itself before anything else.
      const tag = written.replace(/\\([, =])/g, '$1');
      expect(literalsAfter(requests[0]?.query ?? '', 'r.reactor_id ==')).toStrictEqual([tag]);
    },
  );
});

describe('what comes back', () => {
  test.each([
    ['CRLF, in one piece', '\r\n', 1e6],
    ['LF', '\n', 1e6],
    ['CRLF, byte by byte', '\r\n', 1],
  ])('tables of different columns are one list, oldest first: %s', async (_name, eol, chunk) => {
    const csv = annotatedCsv([GOOD, BAD], eol);
    const { reader } = await rig(() => (response) => {
      response.writeHead(200, { 'content-type': 'text/csv; charset=utf-8' });
      const bytes = Buffer.from(csv);
      for (let i = 0; i < bytes.length; i += chunk) response.write(bytes.subarray(i, i + chunk));
      response.end();
    });
    expect(await reader.range(QUERY)).toStrictEqual(MERGED);
  });

  test('packed with gzip', async () => {
    const { reader, requests } = await rig(() => annotatedCsv([GOOD, BAD]));
    expect(await reader.range(QUERY)).toStrictEqual(MERGED);
    expect(requests[0]?.headers['accept-encoding']).toBe('gzip');
    expect(await reader.range({ ...QUERY, limit: 2 })).toStrictEqual(MERGED.slice(0, 2));
  });

  test.each(['', '\r\n', '\n'])('no row at all: %j', async (csv) => {
    const { reader } = await rig(() => csv);
    expect(await reader.range(QUERY)).toStrictEqual([]);
    expect(await reader.latest('R101', 'temperature')).toBeNull();
    expect(await reader.aggregate({ ...QUERY, windowMs: 1000 })).toStrictEqual([]);
  });

  test('a table with defaults and without rows holds nothing', async () => {
    const { reader } = await rig(
      () =>
        '#datatype,string,long,dateTime:RFC3339,double\r\n#group,false,false,false,false\r\n' +
        '#default,_result,0,2025-10-26T10:00:00Z,1\r\n,result,table,_time,value\r\n\r\n',
    );
    expect(await reader.range(QUERY)).toStrictEqual([]);
  });

  test('an empty field has its default; NaN and infinities are no values', async () => {
    const { reader } = await rig(
      () =>
        '#datatype,string,long,dateTime:RFC3339,string,double,double,double,double\r\n' +
        '#group,false,false,false,true,false,false,false,false\r\n#default,_result,,,Uncertain,,,,\r\n' +
        ',result,table,_time,quality,value,estimate,estimate_rate_per_s,estimate_std_dev\r\n' +
        ',,0,2025-10-26T10:00:00.5Z,,NaN,1,2,+Inf\r\n,,0,2025-10-26T10:00:00.123456789Z,Good,-Inf,1,2,3\r\n\r\n',
    );
    const rows = await reader.range(QUERY);
    expect(rows).toMatchObject([
      { value: null, quality: 'Good', estimate: { value: 1, ratePerS: 2, stdDev: 3 } },
      { timestamp: T0 + 500, value: null, quality: 'Uncertain', estimate: null },
    ]);
    expect(rows[0]?.timestamp).toBeCloseTo(T0 + 123.456789, 3);
  });

  test('latest is the newest of all series', async () => {
    const { reader } = await rig(() => annotatedCsv([GOOD, BAD]));
    expect(await reader.latest('R101', 'temperature')).toStrictEqual(MERGED[2]);
  });

  test('windows of several series are put together, and Bad is only counted', async () => {
    const points = [
      ...[80, 82, 84].map((value, i) => ({ micros: i * 100_000, quality: 'Good', value })),
      { micros: 999_999, quality: 'Uncertain', value: 98 },
      { micros: 500_000, quality: 'Bad', value: 1e9 },
      { micros: 600_000, quality: 'Bad' },
      { micros: 1_000_000, quality: 'Bad', value: -1e9 },
      { micros: 3_000_000, quality: 'Uncertain', value: -1 },
    ].map((point) => ({ asset: 'R101', sensor: 'temperature', ...point, micros: T0 * 1000 + point.micros }));
    const { reader } = await rig(({ query }) => answerFrom(points, query));
    const rest = { timeWeightedMean: null, stdDev: null, first: null, last: null };
    const windows = [
      { ...rest, start: T0, end: T0 + 1000, count: 4, badCount: 2, mean: 86, min: 80, max: 98 },
      { ...rest, start: T0 + 1000, end: T0 + 2000, count: 0, badCount: 1, mean: null, min: null, max: null },
      { ...rest, start: T0 + 3000, end: T0 + 4000, count: 1, badCount: 0, mean: -1, min: -1, max: -1 },
    ];
    expect(await reader.aggregate({ ...QUERY, windowMs: 1000 })).toStrictEqual(windows);
    expect(await reader.aggregate({ ...QUERY, windowMs: 1000, limit: 2 })).toStrictEqual(windows.slice(0, 2));
    const cut = await reader.aggregate({ ...QUERY, start: T0 + 300, windowMs: 1000, before: T0 + 200 });
    expect(cut).toMatchObject([{ start: T0, count: 2, badCount: 0, mean: 81, max: 82 }]);
  });
});

describe('what is no answer', () => {
  test('a refusal: status and message, and never the token', async () => {
    const { reader, url } = await rig(() => (response) => {
      sendJson(response, 401, { code: 'unauthorized', message: `no access\nwith ${TOKEN}` });
    });
    const error = await failure(reader.range(QUERY));
    expect(error.status).toBe(401);
    expect(error.message).toBe(`InfluxDB at ${new URL(url).host}: 401 Unauthorized: no access with …`);
  });

  test.each([
    [500, 'text/plain', 'boom', '500 Internal Server Error : boom'],
    [
      429,
      'application/json',
      '{"code":"too many requests","message":"slow down"}',
      '429 Too Many Requests: slow down',
    ],
    [
      404,
      'application/json',
      '{"message":"bucket \\"twins\\" not found"}',
      '404 Not Found: bucket "twins" not found',
    ],
    [503, 'text/html', '', '503 Service Unavailable'],
    [302, 'text/html', 'elsewhere', '302 Found : elsewhere'],
    [500, 'text/plain', 'x'.repeat(5000), `500 Internal Server Error : ${'x'.repeat(272)}…`],
  ])('status %d with %s', async (status, type, body, message) => {
    const { reader, url } = await rig(() => (response) => {
      response.writeHead(status, { 'content-type': type });
      response.end(body);
    });
    const error = await failure(reader.latest('R101', 'temperature'));
    expect(error.status).toBe(status);
    expect(error.message).toBe(`InfluxDB at ${new URL(url).host}: ${message}`);
  });

  test.each([
    ['after an empty line', annotatedCsv([GOOD]) + errorTable('engine: unknown, "really"', '897')],
    ['at once', errorTable('engine: unknown, "really"', '897')],
  ])('an error table %s', async (_name, csv) => {
    const { reader } = await rig(() => csv);
    const error = await failure(reader.range(QUERY));
    expect(error.message).toContain('the query failed: engine: unknown, "really" (897)');
  });

  test('an error table right behind the rows, without an empty line', async () => {
    const { reader } = await rig(() => annotatedCsv([GOOD]).slice(0, -2) + errorTable('engine: unknown'));
    expect((await failure(reader.range(QUERY))).message).toContain('the answer is no annotated CSV');
  });

  test.each([
    ['another type', 'text/html', '<html>\r\nlogin\r\n</html>', 'answered with text/html instead of CSV'],
    ['no annotations', 'text/csv', ',result,table,_time\r\n,,0,now\r\n', 'no annotated CSV'],
    [
      'a time that is none',
      'text/csv',
      annotatedCsv([GOOD]).replace('2025-10-26T10:00:00Z', 'noon'),
      '"noon"',
    ],
  ])('%s', async (_name, type, csv, message) => {
    const { reader } = await rig(() => (response) => {
      response.writeHead(200, { 'content-type': type });
      response.end(csv);
    });
    expect((await failure(reader.range(QUERY))).message).toContain(message);
  });

  test.each([false, true])('an answer that is broken off (gzip: %s)', async (packed) => {
    const { reader } = await rig(() => (response) => {
      const csv = Buffer.from(annotatedCsv([GOOD, BAD]));
      const bytes = packed ? gzipSync(csv) : csv;
      response.writeHead(200, {
        'content-type': 'text/csv',
        ...(packed ? { 'content-encoding': 'gzip' } : {}),
      });
      response.write(bytes.subarray(0, bytes.length - 60), () => response.destroy());
    });
    const error = await failure(reader.range(QUERY));
    expect(error.message).toMatch(/broken off|premature/i);
  });

  test.each([
    ['answers nothing', ''],
    ['stops in the middle', annotatedCsv([GOOD]).slice(0, -20)],
  ])('a server that %s is left in time, and its connection closed', async (_name, part) => {
    const { reader, requests } = await rig(
      () => (response) => {
        response.writeHead(200, { 'content-type': 'text/csv' });
        response.write(part);
      },
      { timeoutMs: 150 },
    );
    const error = await failure(reader.range(QUERY));
    expect(error.message).toContain('no whole answer within 150 ms');
    await requests[0]?.aborted;
  });

  test('a server that goes on dripping is left in time too', async () => {
    const { reader, requests } = await rig(
      () => (response, request) => {
        response.writeHead(200, { 'content-type': 'text/csv' });
        const drip = setInterval(() => response.write('#'), 20);
        void request.aborted.then(() => clearInterval(drip));
      },
      { timeoutMs: 200 },
    );
    expect((await failure(reader.range(QUERY))).message).toContain('no whole answer within');
    await requests[0]?.aborted;
  });

  test.each([false, true])(
    'more bytes than allowed, also in one endless line and packed (gzip: %s)',
    async (packed) => {
      const { reader, requests } = await rig(
        () => (response, request) => {
          const endless = Buffer.alloc(1_000_000, 'x');
          response.writeHead(200, {
            'content-type': 'text/csv',
            ...(packed ? { 'content-encoding': 'gzip' } : {}),
          });
          if (packed) response.write(gzipSync(Buffer.alloc(20_000_000, 'x')));
          else {
            const more = (): void => {
              while (!response.destroyed && response.write(endless));
              if (!response.destroyed) response.once('drain', more);
            };
            more();
          }
          void request.aborted;
        },
        { maxBytes: 100_000 },
      );
      expect((await failure(reader.range(QUERY))).message).toContain(
        'the answer is longer than 100000 bytes',
      );
      await requests[0]?.aborted;
    },
  );

  test('who asks may give up', async () => {
    const { reader, requests } = await rig(() => (response) => {
      response.writeHead(200, { 'content-type': 'text/csv' });
      response.flushHeaders();
    });
    const abort = new AbortController();
    const asked = failure(reader.range(QUERY, abort.signal));
    await expect.poll(() => requests.length).toBe(1);
    abort.abort();
    expect((await asked).message).toContain('the query was given up');
    await requests[0]?.aborted;
    expect((await failure(reader.range(QUERY, abort.signal))).message).toContain('given up');
    expect(requests).toHaveLength(1);
  });

  test('nobody listens', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const config = { url: `http://user:pass@127.0.0.1:${port}/`, token: TOKEN, org: 'o', bucket: 'b' };
    const error = await failure(createInfluxReader(config).range(QUERY));
    expect(error.message).toBe(`InfluxDB at 127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}`);
    const wrong = createInfluxReader({ ...config, url: 'ftp://127.0.0.1', token: '' });
    expect((await failure(wrong.range(QUERY))).message).toContain('Unsupported protocol');
    const header = createInfluxReader({ ...config, token: 'two\nlines' });
    expect((await failure(header.range(QUERY))).message).toContain('Invalid character');
  });

  test('so many at once; the others wait their turn, within their time', async () => {
    const held: (() => void)[] = [];
    const { reader, requests } = await rig(
      () => (response) => {
        response.writeHead(200, { 'content-type': 'text/csv' });
        held.push(() => response.end(annotatedCsv([GOOD])));
      },
      { maxConcurrent: 2, timeoutMs: 5000 },
    );
    const all = [1, 2, 3, 4].map(() => reader.range(QUERY));
    await expect.poll(() => held.length).toBe(2);
    expect(requests).toHaveLength(2);
    const abort = new AbortController();
    const impatient = failure(reader.range(QUERY, abort.signal));
    abort.abort();
    expect((await impatient).message).toContain('too many queries');
    held.shift()?.();
    await expect.poll(() => requests.length).toBe(3);
    held.shift()?.();
    await expect.poll(() => held.length).toBe(2);
    for (const end of held) end();
    expect((await Promise.all(all)).map((rows) => rows.length)).toStrictEqual([2, 2, 2, 2]);
    expect(requests).toHaveLength(4);
  });
});
