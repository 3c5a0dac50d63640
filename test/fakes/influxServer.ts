import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

export interface WriteRequest {
  readonly at: number;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly lines: readonly string[];
}

export type FakeAnswer =
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
      /** Lines that the server takes nevertheless, as in a partial write. */
      readonly taken?: readonly string[];
    }
  /** Never answers; cuts the connection; takes the lines, then cuts before it says so. */
  | 'hang'
  | 'cut'
  | 'takeAndCut';

export interface FakeInflux {
  readonly url: string;
  readonly requests: WriteRequest[];
  /** Points by series and time, as InfluxDB keeps them: what comes twice is there once. */
  readonly points: Map<string, string>;
  /** Lines in the order in which they were taken, with those that came twice. */
  readonly taken: string[];
  /** What it answers; by default it takes everything. */
  answer: (lines: readonly string[], request: WriteRequest) => FakeAnswer;
  close(): Promise<void>;
}

export const TAKES: FakeAnswer = { status: 204 };

/** As InfluxDB 2 says it. */
export const problem = (status: number, code: string, message: string): Exclude<FakeAnswer, string> => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8' },
  body: JSON.stringify({ code, message }),
});

/** A server of the write API with every fault that one can have. */
export async function startFakeInflux(): Promise<FakeInflux> {
  const fake: Omit<FakeInflux, 'url' | 'close'> = {
    requests: [],
    points: new Map(),
    taken: [],
    answer: () => TAKES,
  };
  const take = (lines: readonly string[]): void => {
    for (const line of lines) {
      fake.taken.push(line);
      const [series, , time] = partsOf(line);
      fake.points.set(`${series} ${time}`, line);
    }
  };
  const server = createServer((request, response) => {
    void receive(request, response);
  });
  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString();
    const lines = text.split('\n');
    const { url = '', headers } = request;
    const seen = { at: performance.now(), url, headers, lines };
    fake.requests.push(seen);
    const answer = fake.answer(lines, seen);
    if (answer === 'hang') return;
    if (answer === 'takeAndCut') take(lines);
    if (answer === 'cut' || answer === 'takeAndCut') {
      request.socket.destroy();
      return;
    }
    take(answer.taken ?? (answer.status < 300 ? lines : []));
    response.writeHead(answer.status, answer.headers ?? {}).end(answer.body ?? '');
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(fake, {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

/** Series, fields and time; spaces in tags are escaped. */
export function partsOf(line: string): [series: string, fields: string, time: string] {
  const [series = '', fields = '', time = ''] = line.split(/(?<!\\) /);
  return [series, fields, time];
}

/** The value of each point, in the order of the lines. */
export const valuesOf = (lines: Iterable<string>): number[] =>
  [...lines].map((line) => Number(/value=(\S+)/.exec(line)?.[1]));
