import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';

/** One table of an answer, as InfluxDB 2 writes it. */
export interface CsvTable {
  /** Name of its yield. Default `_result`. */
  readonly result?: string;
  readonly table?: number;
  readonly columns: readonly { readonly name: string; readonly type: string; readonly group?: boolean }[];
  readonly rows: readonly (readonly string[])[];
}

const quoted = (field: string): string =>
  /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
const line = (fields: readonly string[], eol: string): string => fields.map(quoted).join(',') + eol;

/**
 * Annotated CSV with the annotations #datatype, #group and #default: CRLF, an empty line behind each block, the
 * name of the result as a default. Tables of the same columns share a block, as those of one result do.
 */
export function annotatedCsv(tables: readonly CsvTable[], eol = '\r\n'): string {
  if (tables.length === 0) return eol;
  let csv = '';
  let head = '';
  for (const { result = '_result', table = 0, columns, rows } of tables) {
    const own =
      line(['#datatype', 'string', 'long', ...columns.map(({ type }) => type)], eol) +
      line(['#group', 'false', 'false', ...columns.map(({ group }) => String(group === true))], eol) +
      line(['#default', result, '', ...columns.map(() => '')], eol) +
      line(['', 'result', 'table', ...columns.map(({ name }) => name)], eol);
    if (own !== head) csv += head === '' ? own : eol + own;
    head = own;
    for (const row of rows) csv += line(['', '', String(table), ...row], eol);
  }
  return csv + eol;
}

/** What InfluxDB writes where a query fails after the status has gone out. */
export const errorTable = (message: string, reference = '', eol = '\r\n'): string =>
  `#datatype,string,string${eol}#group,true,true${eol}#default,,${eol},error,reference${eol}` +
  line(['', message, reference], eol) +
  eol;

export interface FluxRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readonly<Record<string, unknown>>;
  readonly query: string;
  /** Resolves when the client has closed the connection before the answer was whole. */
  readonly aborted: Promise<void>;
}

/** Answers by itself, for what is no whole answer. */
export type FluxResponder = (response: ServerResponse, request: FluxRequest) => void;

export interface FluxServer {
  readonly url: string;
  /** What was asked, in order. */
  readonly requests: FluxRequest[];
  close(): Promise<void>;
}

/** Sends CSV as InfluxDB does: chunked, packed where the client takes it, cut anywhere. */
export function sendCsv(response: ServerResponse, request: FluxRequest, csv: string, chunk = 1000): void {
  const packed = request.headers['accept-encoding'] === 'gzip';
  response.writeHead(200, {
    'content-type': 'text/csv; charset=utf-8',
    ...(packed ? { 'content-encoding': 'gzip' } : {}),
    'vary': 'Accept-Encoding',
  });
  const bytes = packed ? gzipSync(csv) : Buffer.from(csv);
  for (let i = 0; i < bytes.length; i += chunk) response.write(bytes.subarray(i, i + chunk));
  response.end();
}

export const sendJson = (response: ServerResponse, status: number, body: object): void => {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(body));
};

/** POST /api/v2/query of an InfluxDB 2 on a port of the loopback. `answer` says what comes back. */
export async function startFluxServer(
  answer: (request: FluxRequest) => string | FluxResponder,
): Promise<FluxServer> {
  const requests: FluxRequest[] = [];
  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body: unknown = JSON.parse(await text(incoming));
    if (typeof body !== 'object' || body === null) throw new TypeError('the request has no JSON object');
    const aborted = new Promise<void>((resolve) => {
      response.on('close', () => {
        if (!response.writableFinished) resolve();
      });
    });
    const request: FluxRequest = {
      ...{ method: incoming.method ?? '', url: incoming.url ?? '', headers: incoming.headers, aborted },
      ...{ body: { ...body }, query: 'query' in body ? String(body.query) : '' },
    };
    requests.push(request);
    if (request.method !== 'POST' || !request.url.startsWith('/api/v2/query?')) {
      sendJson(response, 404, { code: 'not found', message: 'path not found' });
      return;
    }
    const answered = answer(request);
    if (typeof answered === 'string') sendCsv(response, request, answered);
    else answered(response, request);
  };
  const server = createServer((incoming, response) => {
    handle(incoming, response).catch((error: unknown) =>
      response.destroy(error instanceof Error ? error : undefined),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
